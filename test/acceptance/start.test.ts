/** A start opens few files, for each of them costs time before the first copy: the executable as it is built. */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { spawnTranship, temporaryDirectory } from "../support/service.ts";

const directory = temporaryDirectory();
afterAll(() => directory.remove());

/** The files of JavaScript that one command loads, as V8 tells at its end. */
async function filesOf(name: string, args: readonly string[]): Promise<string[]> {
  const coverage = join(directory.path, name);
  const { ended } = spawnTranship(args, { cwd: directory.path, env: { NODE_V8_COVERAGE: coverage } });
  await ended;
  return readdirSync(coverage)
    .flatMap((file): { url: string }[] => JSON.parse(readFileSync(join(coverage, file), "utf8")).result)
    .map(({ url }) => url)
    .filter((url) => url.startsWith("file:"));
}

it("loads whatever works on a job from fewer than 50 files", async () => {
  const config = { progress: "sqlite:./ledger.db", stores: { main: { endpoint: "http://127.0.0.1:1" } } };
  writeFileSync(join(directory.path, "config.json"), JSON.stringify(config));
  writeFileSync(join(directory.path, "job.json"), '{"source":{"bucket":"a"},"target":{"bucket":"b"}}');
  const files = await filesOf("plan", ["plan", "job.json", "--config", "config.json"]);
  // The native driver stays in files of its own: the ledger was reached.
  expect(files.some((url) => url.includes("better-sqlite3"))).toBe(true);
  expect(files.length).toBeLessThan(50);
});

it("loads nothing that works on jobs for a command that does not", async () => {
  const files = await filesOf("version", ["--version"]);
  expect(files.some((url) => url.endsWith("/src/main.js"))).toBe(true);
  expect(files.filter((url) => /better-sqlite3|compose/.test(url))).toEqual([]);
  expect(files.length).toBeLessThan(20);
});
