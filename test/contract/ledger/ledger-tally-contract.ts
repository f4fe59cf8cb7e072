/** Whatever happens to objects, the sums agree. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Batch, BatchObject } from "../../../src/domain/batch.ts";
import { fail, MOVED } from "../../../src/domain/batch.ts";
import { emptyTally } from "../../../src/domain/tally.ts";
import type { Lease, Ledger } from "../../../src/ports/ledger.ts";
import { ALL_OPEN, claimedJob, LEASE_MS, objectOf, outcomeOf, REPORT, T0 } from "./ledger-fixtures.ts";

const STAGES = ["copy", "verify", "update", "delete"] as const;
const END = { state: "paused", reason: null, waiting: null, report: REPORT } as const;

/** How an object ends: the index of the stage where it fails or is left alone, or 4 for none. */
const ENDING = fc.record({
  failsAt: fc.integer({ min: 0, max: 4 }),
  skips: fc.boolean(),
  size: fc.nat(1e12),
});
type Ending = typeof ENDING extends fc.Arbitrary<infer E> ? E : never;

function settle(object: BatchObject, ending: Ending, stage: number): void {
  if (object.outcome.kind !== "pending") return;
  if (ending.failsAt === stage && ending.skips) object.outcome = { kind: "skipped", reason: "source_gone" };
  else if (ending.failsAt === stage) fail(object, "copy_refused", object.key);
  else if (stage === 3) object.outcome = MOVED;
}

/** Carries `batch` through its first `stages` stages, and maybe repeats the last record. */
async function carry(ledger: Ledger, lease: Lease, batch: Batch, endings: readonly Ending[], stages: number) {
  for (const [index, stage] of STAGES.slice(0, stages).entries()) {
    batch.objects.forEach((object, position) => void settle(object, endings[position]!, index));
    await ledger.recordStage(lease, outcomeOf(batch, stage, { rows: stage === "update" ? 1 : 0 }));
    if (index % 2 === 0)
      await ledger.recordStage(lease, outcomeOf(batch, stage, { rows: stage === "update" ? 1 : 0 }));
  }
}

/** What the batches themselves say; retried objects count where they are now. */
function expected(all: readonly { endings: readonly Ending[]; stages: number }[]) {
  const sums = emptyTally();
  for (const { endings, stages } of all) {
    for (const { failsAt, skips, size } of endings) {
      const reached = Math.min(stages, 4);
      const settled = failsAt < reached;
      sums.planned += 1;
      sums.bytes += size;
      sums.copied += Number(reached > 0 && failsAt > 0);
      sums.bytesCopied += reached > 0 && failsAt > 0 ? size : 0;
      sums.verified += Number(reached > 1 && failsAt > 1);
      sums.updated += Number(reached > 2 && failsAt > 2);
      sums.moved += Number(reached === 4 && !settled);
      sums.skipped += Number(settled && skips);
      sums.exceptions += Number(settled && !skips);
    }
    sums.rowsUpdated += Number(stages > 2);
  }
  return sums;
}

export function tallyContract(ledgerOf: () => Ledger): void {
  describe("tally", () => {
    test("a job without batches has a tally of nothing", async () => {
      expect(await ledgerOf().tally("nothing")).toEqual(emptyTally());
    });

    test("sums over any outcomes agree, before and after exceptions are taken up again", async () => {
      const ledger = ledgerOf();
      const batches = fc.array(
        fc.record({
          endings: fc.array(ENDING, { minLength: 1, maxLength: 12 }),
          stages: fc.integer({ min: 0, max: 4 }),
        }),
        { minLength: 1, maxLength: 4 },
      );
      await fc.assert(
        fc.asyncProperty(batches, async (all) => {
          const lease = await claimedJob(ledger);
          for (const [n, { endings, stages }] of all.entries()) {
            const objects = endings.map(({ size }, position) => objectOf(`${n}/${position}`, { size }));
            const batch = await ledger.addBatch(lease, { objects, cursor: `${n}` }, T0);
            await carry(ledger, lease, batch, endings, stages);
          }
          const before = await ledger.tally(lease.jobId);
          expect(before).toEqual(expected(all));
          const { items } = await ledger.exceptions(lease.jobId, null, 1_000);
          expect(items).toHaveLength(before.exceptions);

          await ledger.release(lease, END, T0);
          let retried = 0;
          for (let n = -1; n !== 0; retried += n) n = await ledger.replanExceptions(lease.jobId, 3, T0);
          expect(retried).toBe(before.exceptions);
          const after = await ledger.tally(lease.jobId);
          expect(after).toMatchObject({ planned: before.planned, bytes: before.bytes, exceptions: 0 });
          expect(after.copied).toBeLessThanOrEqual(before.copied);

          await ledger.changeState({
            ...{ jobId: lease.jobId, from: "paused", to: "queued", action: "retry" },
            ...{ actor: "ann", reason: null, at: T0 },
          });
          const next = await ledger.claim(lease.jobId, "runner-2", T0, LEASE_MS);
          for (const batch of await ledger.openBatches({ jobId: lease.jobId, ...ALL_OPEN })) {
            const never = batch.objects.map(() => ({ failsAt: 4, skips: false, size: 0 }));
            await carry(ledger, next!, batch, never, 4);
          }
          const settled = await ledger.tally(lease.jobId);
          expect(settled.moved + settled.skipped).toBe(settled.planned);
          expect(await ledger.openBatches({ jobId: lease.jobId, ...ALL_OPEN })).toEqual([]);
        }),
        { numRuns: 12 },
      );
    });
  });
}
