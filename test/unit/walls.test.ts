/** The walls hold: violations planted in a copy of the configuration's tree are all reported by the linter. */

import { execFileSync } from "node:child_process";
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const BIOME = join(ROOT, "node_modules/@biomejs/biome/bin/biome");

/** File to plant, its only line, and the rule that must report it. */
const PLANTED: readonly [file: string, line: string, rule: string][] = [
  ["src/domain/a1.ts", 'export { readFile } from "node:fs";', "noRestrictedImports"],
  ["src/domain/a2.ts", 'export type { ObjectStore } from "../ports/object-store.ts";', "noRestrictedImports"],
  ["src/domain/a3.ts", 'export * from "typebox";', "noRestrictedImports"],
  [
    "src/ports/b1.ts",
    'import type { Gate } from "../pacing/gate.ts";\nexport type G = Gate;',
    "noRestrictedImports",
  ],
  ["src/pacing/c1.ts", 'import "../stages/copy.ts";', "noRestrictedImports"],
  ["src/pacing/c2.ts", 'import pLimit from "p-limit";\nexport const l = pLimit(1);', "noRestrictedImports"],
  [
    "src/stages/d1.ts",
    'export const late = () => import("../stores/s3/s3-client.ts");',
    "noRestrictedImports",
  ],
  ["src/stages/d2.ts", 'import pLimit from "p-limit";\nexport const l = pLimit(1);', "noRestrictedImports"],
  [
    "src/conveyor/e1.ts",
    'import type { Jobs } from "../jobs/jobs.ts";\nexport type J = Jobs;',
    "noRestrictedImports",
  ],
  ["src/jobs/f1.ts", 'import "../stores/ledger/open-ledger.ts";', "noRestrictedImports"],
  ["src/jobs/f2.ts", 'import "../http/server.ts";', "noRestrictedImports"],
  ["src/stores/g1.ts", 'import "../jobs/scheduler.ts";', "noRestrictedImports"],
  ["src/stores/s3/g2.ts", 'import "fastify";', "noRestrictedImports"],
  ["src/http/h1.ts", 'import "../stores/sql/open-database.ts";', "noRestrictedImports"],
  ["src/http/h2.ts", 'import "@aws-sdk/client-s3";', "noRestrictedImports"],
  ["src/cli/i1.ts", 'import "../stores/sql/open-database.ts";', "noRestrictedImports"],
  ["src/sandbox-s3/j1.ts", 'import "../domain/errors.ts";', "noRestrictedImports"],
  ["src/sandbox-s3/objects/j2.ts", 'import "../../domain/errors.ts";', "noRestrictedImports"],
  ["src/sandbox-s3/objects/j3.ts", 'import "typebox";', "noRestrictedImports"],
  ["src/demo/j4.ts", 'import "../stores/sql/open-database.ts";', "noRestrictedImports"],
  ["src/domain/keys/a4.ts", 'import "../../ports/clock.ts";', "noRestrictedImports"],
  ["src/pacing/rates/c3.ts", 'import "../../stages/copy.ts";', "noRestrictedImports"],
  ["src/stages/inventory/d3.ts", 'import "../../conveyor/conveyor.ts";', "noRestrictedImports"],
  ["src/jobs/run/f3.ts", 'import "../../stores/ledger/open-ledger.ts";', "noRestrictedImports"],
  ["src/stores/s3/copy/g3.ts", 'import "../../../stages/copy.ts";', "noRestrictedImports"],
  ["src/cli/commands/i2.ts", 'import "../../pacing/gate.ts";', "noRestrictedImports"],
  [
    "src/engines/aws/deployment/o9.ts",
    'import "../../../stores/open-connections.ts";',
    "noRestrictedImports",
  ],
  ["src/engines/o1.ts", 'import "../stages/copy.ts";', "noRestrictedImports"],
  ["src/domain/keys/deeper/a5.ts", 'import "node:fs";', "noRestrictedImports"],
  ["src/domain/a6.mts", 'import "node:fs";', "noRestrictedImports"],
  ["src/conveyor/deeper/e2.ts", 'import "../../stores/sql/open-database.ts";', "noRestrictedImports"],
  ["src/http/deeper/h3.ts", 'import "../../stores/sql/open-database.ts";', "noRestrictedImports"],
  ["src/new-room/p1.ts", 'import "../stores/sql/open-database.ts";', "noRestrictedImports"],
  ["src/engines/aws/o2.ts", 'import "node:fs";', "noRestrictedImports"],
  ["src/engines/aws/o3.ts", 'import "../../lambda/answer-event.ts";', "noRestrictedImports"],
  ["src/lambda/q1.ts", 'import "../stages/copy.ts";', "noRestrictedImports"],
  ["src/lambda/q2.ts", 'import "../stores/sql/open-database.ts";', "noRestrictedImports"],
  ["src/lambda/q3.ts", 'import "../config.ts";', "noRestrictedImports"],
  ["bench/n1.ts", 'import "../src/conveyor/conveyor.ts";', "noRestrictedImports"],
  ["src/jobs/k1.ts", "export const secret = process.env.SECRET;", "noProcessEnv"],
  ["src/jobs/k2.ts", 'console.log("hello");', "noConsole"],
  ["src/domain/l1.ts", 'import { two } from "./l2.ts";\nexport const one = () => two();', "noImportCycles"],
  [
    "src/domain/l2.ts",
    'import { one } from "./l1.ts";\nexport const two = (): unknown => one();',
    "noImportCycles",
  ],
  [
    "src/ports/l3.ts",
    'import type { Four } from "./l4.ts";\nexport type Three = Four | null;',
    "noImportCycles",
  ],
  [
    "src/ports/l4.ts",
    'import type { Three } from "./l3.ts";\nexport type Four = { readonly of: Three };',
    "noImportCycles",
  ],
  ["src/domain/CamelCase.ts", "export const x = 1;", "useFilenamingConvention"],
  ["src/stages/m1.ts", "export const go = async () => {\n  Promise.resolve(1);\n};", "noFloatingPromises"],
];

interface Diagnostic {
  readonly category: string;
  readonly location: { readonly path: { readonly file: string } | string };
}

let directory: string;
let reported: Set<string>;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "tranship-walls-"));
  cpSync(join(ROOT, "src"), join(directory, "src"), { recursive: true });
  cpSync(join(ROOT, "bench"), join(directory, "bench"), { recursive: true });
  cpSync(join(ROOT, "biome.json"), join(directory, "biome.json"));
  execFileSync("git", ["init", "-q", directory]);
  for (const [file, line] of PLANTED) {
    mkdirSync(dirname(join(directory, file)), { recursive: true });
    writeFileSync(join(directory, file), `${line}\n`);
  }
  const args = [BIOME, "lint", "--reporter=json", "--max-diagnostics=none", "src", "bench"];
  const output = runTolerantly(() =>
    execFileSync(process.execPath, args, { cwd: directory, encoding: "utf8", stdio: "pipe" }),
  );
  const { diagnostics } = JSON.parse(output) as { readonly diagnostics: readonly Diagnostic[] };
  reported = new Set(
    diagnostics.map(({ category, location }) => {
      const path = typeof location.path === "string" ? location.path : location.path.file;
      return `${path} ${category.split("/").at(-1)}`;
    }),
  );
}, 60_000);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** The linter exits with 1 when it has found something; its report is what counts. */
function runTolerantly(run: () => string): string {
  try {
    return run();
  } catch (error) {
    return (error as { readonly stdout: string }).stdout;
  }
}

/** The import statements' specifiers in `code` that the linter's patterns do not see, or read otherwise than they resolve. */
function evasions(code: string): string[] {
  const statements = [...code.matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]*)"/g)].map(
    ([, path]) => path ?? "",
  );
  const detours = statements.filter((path) => {
    const shortest = posix.normalize(path);
    return path !== (shortest.startsWith(".") ? shortest : `./${shortest}`);
  });
  const unseen = code.matchAll(
    /\brequire\s*\(|\bgetBuiltinModule\b|\bimport\s*\((?!\s*")|(?:[:=|&<,]|\btypeof)\s*import\s*\(|^declare module "\.|^\/\/\/ *<reference/gm,
  );
  return [...detours, ...[...unseen].map(([text]) => text)];
}

describe("the walls", () => {
  it.each([
    'import "./../ports/clock.ts";',
    'export * from "./keys/../../ports/clock.ts";',
    'import type { A } from "../pacing/../stores/s3/client/s3-client.ts";',
    'const late = () => import("../jobs/../stores/sql/open-database.ts");',
    "const late = () => import(`../stores/sql/open-database.ts`);",
    "const late = (name: string) => import(name);",
    'const fs = require("node:fs");',
    'const fs = process.getBuiltinModule("node:fs");',
    'export type G = import("../pacing/gate.ts").Gate;',
    'let gate: import("../pacing/gate.ts").Gate;',
    'let gate: typeof import("../pacing/gate.ts");',
    'declare module "../pacing/gate.ts" {}',
    '/// <reference path="../pacing/gate.ts" />',
  ])("are not got around by %s", (line) => {
    expect(evasions(line)).toHaveLength(1);
  });

  it("are got around by no file", () => {
    // That one holds the text of another process's program.
    const files = globSync("src/**/*.*ts", { cwd: ROOT }).filter(
      (file) => file !== "src/cli/function-packages.ts",
    );
    expect(files.length).toBeGreaterThan(300);
    expect(
      files.flatMap((file) => evasions(readFileSync(join(ROOT, file), "utf8")).map((how) => [file, how])),
    ).toEqual([]);
  });

  it.each(PLANTED)("%s is caught: %s", (file, _line, rule) => {
    expect([...reported]).toContain(`${file} ${rule}`);
  });

  it("report nothing in the tree as it is", () => {
    const planted = new Set(PLANTED.map(([file]) => file));
    expect([...reported].filter((report) => !planted.has(report.split(" ")[0] ?? ""))).toEqual([]);
  });
});
