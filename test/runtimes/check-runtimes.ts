/**
 * `npm run check:runtimes`: demo, unit suite and the contract suites of ledger and SQLite on the oldest Node.js that is
 * promised and the newest of every line, each from npm in a folder of its own; on those below the floor, that it is refused.
 */

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";

const PROMISED = ["22.14.0", "22", "24", "26"];
const BELOW_THE_FLOOR = ["20", "22.13"];

const ROOT = join(import.meta.dirname, "../..");
const MAIN = "dist/src/main.js";
const VITEST = "node_modules/vitest/vitest.mjs";
const UNIT = [VITEST, "run", "--reporter=dot", "--project", "unit"];
const PARTS = [VITEST, "run", "--reporter=dot", "--project", "parts"];
const CHECKS: readonly (readonly [name: string, args: readonly string[]])[] = [
  ["demo", [MAIN, "demo"]],
  ["unit suite", UNIT],
  [
    "contracts of ledger and SQLite",
    [...PARTS, ...suites("ledger/ledger.test.ts", "reference-table/reference-table-sqlite.test.ts")],
  ],
  [
    "contract of reference tables on SQLite",
    [...PARTS, ...suites("reference-table/reference-table.test.ts"), "-t", "SQLite"],
  ],
];

/** Paths of contract suites. vitest passes over a path that is not there as long as another one is. */
function suites(...names: string[]): string[] {
  const paths = names.map((name) => `test/contract/${name}`);
  const missing = paths.filter((path) => !existsSync(join(ROOT, path)));
  if (missing.length > 0) throw new Error(`no such suite: ${missing.join(", ")}`);
  return paths;
}

const folder = mkdtempSync(join(tmpdir(), "tranship-runtimes-"));
const failures: string[] = [];
const say = (text: string) => process.stdout.write(`${text}\n`);

/** Installs the newest Node.js of `line` and gives the path of its program. */
function installNode(line: string): string {
  const own = join(folder, line);
  const manifest = { private: true, allowScripts: { node: true } };
  mkdirSync(own);
  writeFileSync(join(own, "package.json"), JSON.stringify(manifest));
  execFileSync(
    "npm",
    ["install", "--no-save", "--loglevel=error", "--no-audit", "--no-fund", `node@${line}`],
    {
      cwd: own,
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  return join(own, "node_modules/node/bin/node");
}

/** Runs one check; what it printed is shown when it failed. */
function run(version: string, program: string, name: string, args: readonly string[], expected = 0): string {
  const PATH = `${dirname(program)}${delimiter}${process.env.PATH}`;
  const began = performance.now();
  const ended = spawnSync(program, [...args], {
    cwd: ROOT,
    env: { ...process.env, PATH },
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  const isFine = ended.status === expected;
  const seconds = Math.round((performance.now() - began) / 1000);
  say(`Node.js ${version}: ${name} ${isFine ? "passed" : "FAILED"} in ${seconds} s`);
  if (!isFine) {
    failures.push(`${version}: ${name}`);
    say(ended.stdout + ended.stderr);
  }
  return ended.stderr;
}

const versionOf = (program: string) =>
  execFileSync(program, ["-p", "process.versions.node"], { encoding: "utf8" }).trim();

try {
  for (const line of BELOW_THE_FLOOR) {
    const old = installNode(line);
    const refusal = run(versionOf(old), old, "refusal", [MAIN, "demo"], 2);
    if (!/^tranship: needs Node\.js [^\n]+ or newer; [^\n]*\n$/.test(refusal))
      failures.push(`refusal: ${refusal}`);
  }
  for (const line of PROMISED) {
    const program = installNode(line);
    const version = versionOf(program);
    for (const [name, args] of CHECKS) run(version, program, name, args);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (failures.length > 0) {
  say(`\nNot as promised:\n${failures.join("\n")}`);
  process.exitCode = 1;
}
