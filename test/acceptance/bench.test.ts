/** `npm run bench` in its quick form: every part works without peers, and the files are written where they are asked for. */

import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";

const PROGRAM = join(import.meta.dirname, "../../dist/bench/run-benchmarks.js");
const STORE = join(import.meta.dirname, "../../dist/src/sandbox-s3/serve-sandbox-store.js");
const directory = mkdtempSync(join(tmpdir(), "tranship-bench-test-"));

const bench = (...args: string[]) =>
  promisify(execFile)(process.execPath, [PROGRAM, ...args], { cwd: directory });

/** The cells of the first row of a table that begins with `name`. */
const cellsOf = (report: string, name: string) =>
  (report.split("\n").find((line) => line.startsWith(`| ${name} |`)) ?? "")
    .split("|")
    .map((cell) => cell.trim());

describe.concurrent("the benchmark", { timeout: 180_000 }, () => {
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it("measures speed, throttling and large objects, and writes a report and a chart", async () => {
    const out = join(directory, "out");
    const only = "throughput,throttled,large-objects";
    const { stdout } = await bench("--quick", "--no-peers", "--only", only, "--out", out);
    expect(readFileSync(join(out, "benchmarks.md"), "utf8")).toBe(stdout);
    expect(stdout).toContain("A quick run");
    expect(stdout).toMatch(/\| processor \| \d+ × /);
    for (const name of [
      "Tranship, objects only",
      "Tranship, with rows",
      "Tranship, with rows, SQLite ledger",
    ]) {
      const [, , concurrency, objects, moved, , active, , , cpu, requests, peak] = cellsOf(stdout, name);
      expect([concurrency, objects, moved]).toEqual(["64", "500", "500 × 1"]);
      // So few copies may all fall between two looks at the clock: then there is no rate to tell.
      expect(active).toMatch(/^(–|[\d.,]+)$/);
      expect(Number(cpu)).toBeGreaterThan(0);
      // 500 copies, and a few that list, look and delete.
      expect(Number(requests)).toBeGreaterThan(1);
      expect(Number(requests)).toBeLessThan(1.1);
      expect(Number(peak)).toBeGreaterThan(20);
    }
    const chart = readFileSync(join(out, "benchmarks.svg"), "utf8");
    expect(chart).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
    expect(chart).toContain(">Tranship, with rows (64, 500)<");
    // A short job and a longer one at 256.
    expect(chart).toContain(">Tranship, with rows (256, 500)<");
    expect(chart).toContain(">Tranship, with rows (256, 1,000)<");
  });

  it("writes nothing unless it is a whole run, and refuses a section it does not know", async () => {
    await bench("--quick", "--no-peers", "--only", "large-objects");
    expect(existsSync(join(directory, "docs"))).toBe(false);
    await expect(bench("--only", "thruput")).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining("thruput"),
    });
  });

  it("gets the store's counts whole, however long they are", async () => {
    const buckets = Array.from({ length: 2000 }, (_, n) => `bucket-${n}`.padEnd(62, "x"));
    const keys = ["--access-key-id", "id", "--secret-access-key", "secret"];
    const store = execFile(process.execPath, [STORE, ...keys, "--buckets", buckets.join(",")]);
    let told = "";
    store.stdout?.on("data", (text) => {
      told += text;
    });
    while (!told.includes("\n")) await once(store.stdout ?? store, "data");
    // A reader that is busy: what does not fit into the pipe has to wait in the store.
    const closed = once(store, "close");
    store.stdout?.pause();
    store.kill("SIGTERM");
    await sleep(500);
    store.stdout?.resume();
    await closed;
    const [, counts = ""] = told.split("\n");
    expect(Object.keys(JSON.parse(counts).objects)).toEqual(buckets);
  });
});
