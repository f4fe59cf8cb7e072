/** Whole jobs in the middle of every stage, under a trouble that does not end: a stop ends their run within a second. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { afterEach, expect, it } from "vitest";
import type { FaultRule } from "../../../src/sandbox-s3/faults/fault-rules.ts";
import { moved, until } from "../../support/bystander.ts";
import { fillStore, imageKeys, openWorkbench, type Workbench } from "../../support/worlds/workbench.ts";

const KEYS = imageKeys(300);
const MOST_MS = 1_000;

let bench: Workbench;
let directory: string | null = null;
afterEach(async () => {
  await bench.close();
  if (directory !== null) rmSync(directory, { recursive: true, force: true });
  directory = null;
});

async function openFilled(options: Parameters<typeof openWorkbench>[0] = {}): Promise<void> {
  bench = await openWorkbench(options);
  fillStore(bench.store, "bucket-a", KEYS);
  bench.addRows(KEYS);
}

/** Stops the run by closing its scheduler, as SIGTERM does. */
async function stopMs(ended: Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await bench.scheduler.close();
  await ended;
  return performance.now() - begun;
}

const slowDown = { type: "slow-down" } as const;
const broken = { type: "internal-error" } as const;
const STAGES: readonly (readonly [string, FaultRule, object])[] = [
  [
    "planning from a listing",
    { operation: "ListObjectsV2", bucket: "bucket-a", effect: slowDown },
    { inventory: { from: "bucket" } },
  ],
  [
    "planning from rows",
    { operation: "ListObjectsV2", bucket: "bucket-a", effect: broken },
    { inventory: { from: "database" } },
  ],
  ["looking at targets", { operation: "ListObjectsV2", bucket: "bucket-b", effect: broken }, {}],
  ["copying", { operation: "CopyObject", effect: slowDown }, {}],
  ["copying, with broken answers", { operation: "CopyObject", effect: { type: "empty-200" } }, {}],
  ["copying, with resets", { operation: "CopyObject", effect: { type: "reset-before" } }, {}],
  [
    "verifying",
    {
      operation: "ListObjectsV2",
      bucket: "bucket-b",
      when: () => bench.store.countObjects("bucket-b") >= 300,
      effect: slowDown,
    },
    {},
  ],
  ["deleting", { operation: "DeleteObjects", effect: slowDown }, {}],
  ["deleting, with broken answers", { operation: "DeleteObjects", effect: { type: "empty-200" } }, {}],
  [
    "deleting, each key by itself",
    { operation: "DeleteObjects", effect: { type: "key-error", code: "InternalError" } },
    {},
  ],
];

it.each(STAGES)("%s", async (_, rule, job) => {
  await openFilled();
  const id = await bench.submit({ batchSize: 100, ...job });
  const fault = bench.store.faults.add(rule);
  const ended = bench.scheduler.runNow(id);
  await until(() => fault.fired >= 3);
  expect(await stopMs(ended)).toBeLessThan(MOST_MS);
  expect((await bench.jobs.get(id)).state).toBe("queued");
});

it("while a refusal is tried again", async () => {
  await openFilled();
  const id = await bench.submit();
  bench.store.faults.add({ operation: "ListObjectsV2", effect: { type: "access-denied" } });
  const ended = bench.scheduler.runNow(id);
  await until(async () => (await bench.jobs.get(id)).waiting !== null);
  expect(await stopMs(ended)).toBeLessThan(MOST_MS);
});

it("while another process keeps the SQLite ledger locked", async () => {
  directory = mkdtempSync(join(tmpdir(), "tranship-stop-"));
  const file = join(directory, "ledger.db");
  await openFilled({ ledgerUrl: `sqlite:${file}` });
  const id = await bench.submit({ batchSize: 20, limits: { requestsPerSecond: 100 } });
  const ended = bench.scheduler.runNow(id);
  await until(() => bench.store.countObjects("bucket-b") > 30);
  const other = new Sqlite(file);
  other.exec("BEGIN IMMEDIATE");
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const took = await stopMs(ended);
  other.exec("ROLLBACK");
  other.close();
  // The stage's record, then the end of the run: each is waited for less than half a second.
  expect(took).toBeLessThan(1.5 * MOST_MS);
  // The lease could not be given up either: it runs out, and what was done and not recorded is recognised.
  await until(async () => (await bench.otherScheduler("next").runNow(id)) !== null, 20_000);
  expect(await bench.jobs.get(id)).toMatchObject({ state: "completed", objects: { moved: 300 } });
  expect(bench.store.listKeys("bucket-a")).toEqual([]);
  expect(bench.store.listKeys("bucket-b")).toEqual(KEYS.map(moved));
});
