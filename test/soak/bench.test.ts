/** `npm run bench` in its quick form: every part works without peers, and the report is written where it is asked for. */

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

describe.concurrent("the benchmark", { timeout: 400_000 }, () => {
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it("measures every section, beside another build, and writes a report", async () => {
    const out = join(directory, "out");
    const against = ["--against", join(import.meta.dirname, "../../dist")];
    const { stdout } = await bench("--quick", "--no-peers", ...against, "--out", out);
    expect(readFileSync(join(out, "benchmarks.md"), "utf8")).toBe(stdout);
    expect(stdout).toContain("A quick run");
    expect(stdout).toMatch(/; processor: \d+ × /);
    for (const name of [
      "Tranship, objects only",
      "Tranship, with rows",
      "Tranship, with rows, SQLite ledger",
      "Tranship, objects only, other build",
      "Tranship, with rows, other build",
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
    // A short job and a longer one at 256.
    expect(stdout).toMatch(/\| Tranship, with rows \| 256 \| 500 \|/);
    expect(stdout).toMatch(/\| Tranship, with rows \| 256 \| 1,000 \|/);
    expect(stdout).toMatch(
      /\| throughput \| S3 requests an object, inventory from the bucket \| ≤ 1.020 \| 1\.0\d\d \|/,
    );
    expect(stdout).toMatch(/against the fastest peer, with rows \| ≥ 3.00× \| – \| not measured \|/);
    // Two thousand statements for a thousand objects: the script was at work.
    expect(stdout).toMatch(/\| per-row script \|( [\d.,]+ \|){5} 2,000 \|/);
    for (const section of ["throttled", "listing", "database", "growth"]) {
      expect(stdout).toContain(`| ${section} |`);
    }
  });

  it("writes nothing unless it is a whole run, and refuses a section or a build that is not there", async () => {
    await bench("--quick", "--no-peers", "--only", "large-objects");
    expect(existsSync(join(directory, "docs"))).toBe(false);
    for (const [given, text] of [
      [["--only", "thruput"], "no such section: thruput"],
      [["--against", directory], `no build in ${directory}`],
    ] as const) {
      const expected = { code: 2, stderr: expect.stringContaining(text) };
      await expect(bench(...given)).rejects.toMatchObject(expected);
    }
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
