/**
 * `npm run check:servers`: the contract suites and one whole job on newer servers than `npm test` has. The servers come out of
 * Debian trees and are started by the tests' own set-up, as those of this machine are. Exit code 0: all passed; 1: some
 * did not, or it was broken off; 2: this machine lacks what is needed.
 */

import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { installParts, type PartName, parts } from "../support/servers/install-parts.ts";
import { debianTree, writeStarters } from "./debian-trees.ts";

/** A set of servers out of Debian trees, and the suites that run on it. */
interface Check {
  readonly servers: readonly { readonly part: PartName; readonly suite: string }[];
  readonly tests: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
}

const CEPH_20 = { part: "ceph", suite: "sid" } as const;
const SQL_SUITES = [
  "test/contract/reference-table",
  "test/contract/database-health.test.ts",
  "test/contract/ledger/ledger.test.ts",
];
const STORE_SUITES = [
  "test/contract/object-store/object-store.test.ts",
  "test/contract/object-store/object-store-conditions.test.ts",
];
/** Rows and ledger in the SQL server, objects in Ceph. */
const WHOLE_JOB = "test/acceptance/main-job.test.ts";

const CHECKS: readonly Check[] = [
  {
    servers: [{ part: "mariadb", suite: "trixie" }, CEPH_20],
    tests: [...SQL_SUITES, ...STORE_SUITES, WHOLE_JOB],
    environment: {},
  },
  {
    servers: [{ part: "mysql", suite: "sid" }, CEPH_20],
    tests: [...SQL_SUITES, WHOLE_JOB],
    environment: { TRANSHIP_TEST_SQL_SERVER: "mysql" },
  },
];

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  return 1;
});

async function main(): Promise<number> {
  if (process.getuid?.() !== 0) {
    console.error("check:servers makes and enters chroots: it needs root on a Debian machine");
    return 2;
  }
  // A filter without a file would run nothing.
  const missing = CHECKS.flatMap(({ tests }) => tests).filter((path) => !existsSync(path));
  if (missing.length > 0) throw new Error(`there is no ${missing.join(", ")}`);
  await installParts(["debootstrap"]);
  const roots = new Map<string, string>();
  for (const { part, suite } of CHECKS.flatMap(({ servers }) => servers)) {
    roots.set(part, await debianTree({ suite, packages: parts[part].packages }));
  }
  const starters = mkdtempSync(join(tmpdir(), "tranship-starters-"));
  const results: string[] = [];
  try {
    for (const [at, { servers, tests, environment }] of CHECKS.entries()) {
      const folder = join(starters, String(at));
      mkdirSync(folder);
      const versions = servers.map(({ part }) => {
        const { programs } = parts[part];
        writeStarters(roots.get(part) ?? "", programs, folder);
        return `${part} ${versionOf(join(folder, programs[0]))}`;
      });
      console.error(`\n${versions.join(", ")}`);
      const PATH = `${folder}${delimiter}${process.env.PATH}`;
      const outcome = await runSuites(tests, { ...process.env, ...environment, PATH });
      results.push(`${outcome}: ${versions.join(", ")}`);
      if (outcome === "broken off") break;
    }
  } finally {
    rmSync(starters, { recursive: true, force: true });
  }
  console.error(`\n${results.join("\n")}`);
  return results.every((result) => result.startsWith("passed")) ? 0 : 1;
}

function versionOf(program: string): string {
  const printed = execFileSync(program, ["--version"], { encoding: "utf8" });
  return /\d+\.\d+\.\d+/.exec(printed)?.[0] ?? printed;
}

/**
 * Runs vitest in a process group of its own, so that Ctrl-C reaches it once, by way of this process. SQLite has no part in
 * this: `npm test` has its suites.
 */
async function runSuites(
  tests: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<"passed" | "FAILED" | "broken off"> {
  const vitest = ["vitest", "run", "--project", "parts", "--testNamePattern", "^(?!.*SQLite)", ...tests];
  const child = spawn("setpriv", ["--pdeathsig", "KILL", "--", ...vitest], {
    stdio: ["ignore", "inherit", "inherit"],
    detached: true,
    env,
  });
  let isBrokenOff = false;
  const forward = (signal: NodeJS.Signals) => {
    isBrokenOff = true;
    child.kill(signal);
  };
  process.on("SIGINT", forward).on("SIGTERM", forward);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    if (isBrokenOff) return "broken off";
    return code === 0 ? "passed" : "FAILED";
  } finally {
    process.off("SIGINT", forward).off("SIGTERM", forward);
  }
}
