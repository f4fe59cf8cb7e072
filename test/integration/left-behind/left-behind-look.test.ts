/** The look before a job's end: what it costs, what it passes by, and that it survives kills. */

import { describe, expect, it } from "vitest";
import { expectAllMoved } from "../../support/all-moved.ts";
import { bodyOf, copiesMade, moved, workWith } from "../../support/bystander.ts";
import { type CrashPoint, crashingLedger } from "../../support/crashing-ledger.ts";
import { bench, benchForEach, clock } from "../../support/worlds/bench-for-each.ts";
import { fillStore, imageKeys } from "../../support/worlds/workbench.ts";

const KEYS = imageKeys(60);
const FIRST = KEYS[0] as string;
/** They sort before all others: behind the cursor of any listing. */
const LATE = imageKeys(50).map((key) => key.replace("image/", "image/0-late/"));
/** Longer than a dead owner's lease. */
const LEASE_OVER = 11_000;
const DELETING = { operation: "DeleteObjects" } as const;

benchForEach({ objects: KEYS, rows: KEYS });

describe("the look before the end", () => {
  it("costs a request and a statement where nothing was left, and plans nothing anew", async () => {
    const job = await bench.move({ inventory: { from: "bucket" } });
    await expectAllMoved(bench, job.id, KEYS);
    // Planning one, targets before, after and at last, the sources at last, both for the key that shows what the store is,
    // and this one.
    expect(job.requests.list).toBeLessThanOrEqual(6 + 2);
    expect(job.statements.app).toBeLessThanOrEqual(4 + 1);
  });

  it("passes by exceptions, and what was skipped and came back is no duplicate", async () => {
    bench.store.putObject("bucket-b", moved(FIRST), "somebody else's");
    const second = KEYS[1] as string;
    bench.app.exec("DELETE FROM images WHERE id = 2");
    const id = await bench.submit({ inventory: { from: "bucket" } });
    const copying = bench.store.faults.hold({ operation: "CopyObject", key: moved(second) });
    const run = bench.work(id);
    await copying.arrival();
    bench.store.deleteObject("bucket-a", second);
    const deleting = bench.store.faults.hold(DELETING);
    copying.release();
    await deleting.arrival();
    bench.store.putObject("bucket-a", second, "back");
    bench.store.putObject("bucket-b", moved(second), "not ours");
    deleting.release();
    await run;
    expect(await bench.exceptions(id)).toEqual({ [FIRST]: "target_exists", [second]: "target_exists" });
    expect(await bench.jobs.get(id)).toMatchObject({
      objects: { planned: 61, moved: 58, skipped: 1, exceptions: 2 },
    });
    expect(bodyOf(bench, "bucket-a", second)).toBe("back");
  });

  const CRASHES: [string, CrashPoint][] = [
    ["before what it found is planned", { method: "addBatch", moment: "before", when: isLookAgain }],
    ["after what it found is planned", { method: "addBatch", moment: "after", when: isLookAgain }],
    ["while it asks the ledger", { method: "lastPlanned", moment: "before" }],
    [
      "before its batch is recorded as deleted",
      { method: "recordStage", moment: "before", when: isLate("delete") },
    ],
    [
      "after its batch is recorded as copied",
      { method: "recordStage", moment: "after", when: isLate("copy") },
    ],
  ];
  it.each(CRASHES)("is cut off by a kill, and the next run goes on: %s", async (_, point) => {
    const id = await bench.submit({ inventory: { from: "bucket" }, batchSize: 40 });
    const deleting = bench.store.faults.hold(DELETING);
    const crash = crashingLedger(bench.ledger, point);
    const run = workWith(bench, { ledger: crash.ledger }, id);
    await deleting.arrival();
    fillStore(bench.store, "bucket-a", LATE);
    bench.addRows(LATE);
    deleting.release();
    await run;
    expect(crash.crashed).toBe(true);
    clock.advance(LEASE_OVER);
    await bench.work(id);
    await expectAllMoved(bench, id, [...KEYS, ...LATE]);
    expect(copiesMade(bench)).toBe(110);
  });
});

function isLookAgain(args: readonly unknown[]): boolean {
  return "round" in JSON.parse((args[1] as { cursor: string }).cursor);
}

function isLate(stage: string): (args: readonly unknown[]) => boolean {
  return (args) => {
    const outcome = args[1] as { stage: string; batch: { objects: { key: string }[] } };
    return outcome.stage === stage && outcome.batch.objects.some(({ key }) => LATE.includes(key));
  };
}
