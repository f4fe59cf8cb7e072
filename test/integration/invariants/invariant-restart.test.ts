/** A process may die at any instruction: what it leaves is taken up again with the same end and no copy done twice. */

import { describe, expect, it } from "vitest";
import type { StageOutcome } from "../../../src/ports/ledger.ts";
import { bodyOf, copiesMade, moved, sumsAgree, workWith } from "../../support/bystander.ts";
import { type CrashPoint, crashingLedger } from "../../support/crashing-ledger.ts";
import { bench, benchForEach, clock } from "../../support/worlds/bench-for-each.ts";
import { imageKeys } from "../../support/worlds/workbench.ts";

const KEYS = imageKeys(20);
/** Longer than a dead owner's lease. */
const LEASE_OVER = 11_000;

benchForEach({ objects: KEYS, rows: KEYS });

/** Everything is where it belongs, and every object was copied exactly once. */
async function expectMovedOnce(id: string): Promise<void> {
  const job = await bench.jobs.get(id);
  expect(job).toMatchObject({ state: "completed", objects: { planned: 20, moved: 20, exceptions: 0 } });
  expect(sumsAgree(job)).toBe(true);
  expect(bench.store.listKeys("bucket-a")).toEqual([]);
  expect(bench.store.listKeys("bucket-b")).toEqual(KEYS.map(moved));
  expect(bench.paths()).toEqual(KEYS.map(moved));
  for (const key of KEYS) expect(bodyOf(bench, "bucket-b", moved(key))).toBe(`body of ${key}`);
  expect(copiesMade(bench)).toBe(KEYS.length);
}

const ofStage = (stage: StageOutcome["stage"], seq: number) => (args: readonly unknown[]) => {
  const outcome = args[1] as StageOutcome;
  return outcome.stage === stage && outcome.batch.seq === seq;
};

const CRASHES: [string, CrashPoint][] = [
  ["before the second batch is planned", { method: "addBatch", moment: "before", when: nth(2) }],
  ["after the second batch is planned", { method: "addBatch", moment: "after", when: nth(2) }],
  ["before the plan is finished", { method: "planFinished", moment: "before" }],
  ["after the plan is finished", { method: "planFinished", moment: "after" }],
  ...(["copy", "verify", "update", "delete"] as const).flatMap((stage): [string, CrashPoint][] => [
    [`before ${stage} is recorded`, { method: "recordStage", moment: "before", when: ofStage(stage, 2) }],
    [`after ${stage} is recorded`, { method: "recordStage", moment: "after", when: ofStage(stage, 2) }],
  ]),
  ["before the end is recorded", { method: "release", moment: "before" }],
  ["after the end is recorded", { method: "release", moment: "after" }],
];

function nth(wanted: number): () => boolean {
  let count = 0;
  return () => {
    count += 1;
    return count === wanted;
  };
}

describe("a process that dies", () => {
  it.each(CRASHES)("%s leaves a job that is taken up and ends the same", async (_, point) => {
    const id = await bench.submit({ batchSize: 7 });
    const crash = crashingLedger(bench.ledger, point);
    await workWith(bench, { ledger: crash.ledger }, id);
    expect(crash.crashed).toBe(true);
    clock.advance(LEASE_OVER);
    await bench.work(id);
    await expectMovedOnce(id);
  });

  it("again and again still ends the same", async () => {
    const id = await bench.submit({ batchSize: 4 });
    for (const stage of ["copy", "update", "verify", "delete", "copy"] as const) {
      const when = (args: readonly unknown[]) => (args[1] as StageOutcome).stage === stage;
      const crash = crashingLedger(bench.ledger, { method: "recordStage", moment: "before", when });
      await workWith(bench, { ledger: crash.ledger }, id);
      clock.advance(LEASE_OVER);
    }
    await bench.work(id);
    await expectMovedOnce(id);
  });

  it("before the end of a batch is recorded leaves no wait for a grace period where sources are kept", async () => {
    const id = await bench.submit({ delete: { when: "never", after: "24h" } });
    const point: CrashPoint = { method: "recordStage", moment: "before", when: ofStage("delete", 1) };
    await workWith(bench, { ledger: crashingLedger(bench.ledger, point).ledger }, id);
    clock.advance(LEASE_OVER);
    expect(await bench.work(id)).toMatchObject({ state: "completed", objects: { moved: KEYS.length } });
    expect(bench.store.listKeys("bucket-a")).toEqual(KEYS);
  });

  it("after the rows changed and before that was recorded still counts the rows", async () => {
    const id = await bench.submit({ batchSize: 50 });
    const point: CrashPoint = { method: "recordStage", moment: "before", when: ofStage("update", 1) };
    await workWith(bench, { ledger: crashingLedger(bench.ledger, point).ledger }, id);
    clock.advance(LEASE_OVER);
    expect((await bench.work(id)).rows.updated).toBe(KEYS.length);
  });
});

const MIDDLES = [
  ["copying", { operation: "CopyObject", key: moved(KEYS[9] as string) }],
  ["looking at copies", { operation: "ListObjectsV2", bucket: "bucket-b" }],
  ["deleting", { operation: "DeleteObjects" }],
] as const;

describe("a process that is asked to stop", () => {
  it.each(MIDDLES)("in the middle of %s ends its requests and leaves the rest", async (_, match) => {
    const id = await bench.submit({ batchSize: 7 });
    const hold = bench.store.faults.hold(match);
    const run = bench.work(id);
    await hold.arrival();
    const closing = bench.scheduler.close();
    hold.release();
    await closing;
    await run;
    const left = await bench.jobs.get(id);
    expect(["queued", "completed"]).toContain(left.state);
    await bench.otherScheduler("later").runNow(id);
    await expectMovedOnce(id);
  });

  it("while its answer to a copy is withheld does not copy again", async () => {
    const id = await bench.submit({ batchSize: 7 });
    const hold = bench.store.faults.hold({ operation: "CopyObject" }, "after");
    const run = bench.work(id);
    await hold.arrival(5);
    const closing = bench.scheduler.close();
    hold.release();
    await closing;
    await run;
    await bench.otherScheduler("later").runNow(id);
    await expectMovedOnce(id);
  });
});
