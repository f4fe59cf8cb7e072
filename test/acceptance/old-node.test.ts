/**
 * A Node.js below the floor: `tranship` says so in one line and ends with 2 before it has loaded anything, and npm, which
 * runs on it, installs without a warning.
 */

import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { runNode, temporaryDirectory } from "../support/service.ts";

const ROOT = join(import.meta.dirname, "../..");
const MAIN = join(ROOT, "dist/src/main.js");
const { engines, devDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
/** Has a Node.js call itself another version. */
const pretending = (version: string) =>
  `data:text/javascript,${encodeURIComponent(
    `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } });
     Object.defineProperty(process, "version", { value: "v${version}" });`,
  )}`;
const PRETENDING = pretending("21.7.3");

const directory = temporaryDirectory();
afterAll(() => directory.remove());

/** Every other Node.js of this machine that is too old: often the one its system brings. */
function olderNodes(): string[] {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/bin", "/usr/local/bin"];
  return [...new Set(folders.map((folder) => join(folder, "node")))].filter((program) => {
    if (!existsSync(program)) return false;
    const version = execFileSync(program, ["-p", "process.versions.node"], { encoding: "utf8" });
    return Number.parseInt(version, 10) < 22;
  });
}

describe.each([
  ...["21.7.3", "22.13.1", "23.5.0"].map((version) => ({
    title: `one that calls itself ${version}`,
    program: process.execPath,
    options: ["--import", pretending(version)],
  })),
  ...olderNodes().map((program) => ({ title: program, program, options: [] })),
])("on $title", ({ program, options }) => {
  it.each([[["--version"]], [["serve"]], [["demo", "--json"]], [[]]])("tranship %j", async (args) => {
    const { end, stdout, stderr } = await runNode(program, [...options, MAIN, ...args], {
      cwd: directory.path,
    }).ended;
    expect({ end, stdout }).toEqual({ end: 2, stdout: "" });
    expect(stderr).toMatch(/^tranship: needs Node\.js 22\.14, 23\.6 or newer; this is [^\n]+\n$/);
  });
});

// Node-API 10 came with 22.14.0 and 23.6.0; without it better-sqlite3 ends the process as soon as a file is opened.
it("is one without Node-API 10", async () => {
  expect(engines.node).toBe("^22.14.0 || >=23.6.0");
  for (const version of ["22.14.0", "23.6.0", "24.0.0", "26.0.0"]) {
    const args = ["--import", pretending(version), MAIN, "--version"];
    const { end, stderr } = await runNode(process.execPath, args, { cwd: directory.path }).ended;
    expect({ version, end, stderr }).toEqual({ version, end: 0, stderr: "" });
  }
});

it("is not what the suites run on: npm brings the Node.js that is pinned", () => {
  expect(process.versions.node).toBe(devDependencies.node);
});

it("loads no file but the executable's first on a Node.js that is too old", async () => {
  const coverage = join(directory.path, "coverage");
  const env = { NODE_V8_COVERAGE: coverage };
  await runNode(process.execPath, ["--import", PRETENDING, MAIN, "demo"], { cwd: directory.path, env }).ended;
  const loaded = readdirSync(coverage)
    .flatMap((file): { url: string }[] => JSON.parse(readFileSync(join(coverage, file), "utf8")).result)
    .map(({ url }) => url)
    .filter((url) => url.startsWith("file:"));
  expect(loaded.map((url) => url.replace(/^.*\/dist\//, "dist/"))).toEqual(["dist/src/main.js"]);
});

/** What `npm ci` would print for this package, with `files` beside it. */
function npmCi(name: string, files: readonly string[]): string {
  const cwd = join(directory.path, name);
  mkdirSync(cwd);
  for (const file of files) copyFileSync(join(ROOT, file), join(cwd, file));
  const settings = Object.entries(process.env).filter(([variable]) => !/^npm_/i.test(variable));
  const env = { ...Object.fromEntries(settings), NODE_OPTIONS: `--import ${PRETENDING}` };
  const { status, stdout, stderr } = spawnSync("npm", ["ci", "--dry-run"], { cwd, env, encoding: "utf8" });
  expect(status, stderr).toBe(0);
  return stdout + stderr;
}

it("is nothing that npm warns of where this package is installed", () => {
  const packages = ["package.json", "package-lock.json"];
  expect(npmCi("bare", packages)).toMatch(/npm warn EBADENGINE/i);
  expect(npmCi("quiet", [...packages, ".npmrc"])).not.toMatch(/^npm |for funding|vulnerabilit/im);
});
