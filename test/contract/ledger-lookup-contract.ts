/** One object's history out of many batches. */

import { describe, expect, test } from "vitest";
import type { Ledger } from "../../src/ports/ledger.ts";
import {
  addKeys,
  claimedJob,
  endAllStages,
  endStage,
  fail,
  objectOf,
  REPORT,
  T0,
} from "./ledger-fixtures.ts";

const END = { state: "paused", reason: null, waiting: null, report: REPORT } as const;

export function lookupContract(ledgerOf: () => Ledger): void {
  describe("an object's history", () => {
    test("tells all that was done for a moved object", async () => {
      const ledger = ledgerOf();
      const lease = await claimedJob(ledger);
      const rows = [{ reference: 0, id: "5" }];
      const objects = [objectOf("a", { rows }), objectOf("b")];
      const batch = await ledger.addBatch(lease, { objects, cursor: "b" }, T0);
      await endAllStages(ledger, lease, batch);
      const { etag } = objects[0]!;
      expect(await ledger.objectHistory(lease.jobId, "a")).toEqual({
        ...{ key: "a", batch: 1, batchState: "done", size: 100, etag, targetEtag: etag, rows: 1 },
        ...{ fate: { kind: "moved" }, worker: "runner-1", plannedAt: T0 },
        ...{ copiedAt: T0 + 15, verifiedAt: T0 + 25, updatedAt: T0 + 35, deletedAt: T0 + 45 },
      });
      expect(await ledger.objectHistory(lease.jobId, "c")).toBeNull();
      expect(await ledger.objectHistory("nothing", "a")).toBeNull();
    });

    test("ends at the stage where the object failed", async () => {
      const ledger = ledgerOf();
      const lease = await claimedJob(ledger);
      const batch = await addKeys(ledger, lease, "a", "b");
      await endStage(ledger, lease, batch, "copy");
      fail(batch, "a", "bad copy");
      for (const stage of ["verify", "update", "delete"] as const)
        await endStage(ledger, lease, batch, stage);
      expect(await ledger.objectHistory(lease.jobId, "a")).toMatchObject({
        ...{ copiedAt: T0 + 15, verifiedAt: null, updatedAt: null, deletedAt: null, targetEtag: null },
        fate: { kind: "exception", code: "copy_refused", message: "bad copy" },
      });
    });

    test("does not claim a deletion where sources are kept", async () => {
      const ledger = ledgerOf();
      const lease = await claimedJob(ledger, { delete: { when: "never", after: "0s" } });
      await endAllStages(ledger, lease, await addKeys(ledger, lease, "a"));
      expect(await ledger.objectHistory(lease.jobId, "a")).toMatchObject({
        ...{ fate: { kind: "moved" }, deletedAt: null, updatedAt: T0 + 35 },
      });
    });

    test("is that of the newest batch which did not hand the object on", async () => {
      const ledger = ledgerOf();
      const lease = await claimedJob(ledger);
      const { jobId } = lease;
      const first = await addKeys(ledger, lease, "a", "b");
      fail(first, "a");
      await endAllStages(ledger, lease, first);
      const second = await addKeys(ledger, lease, "b", "c");
      second.objects[0]!.fate = { kind: "skipped", reason: "duplicate" };
      await endAllStages(ledger, lease, second);
      // A duplicate says only that another batch has the object.
      expect(await ledger.objectHistory(jobId, "b")).toMatchObject({ batch: 1, fate: { kind: "moved" } });
      await ledger.release(lease, END, T0);
      await ledger.replanExceptions(jobId, 10, T0);
      expect(await ledger.objectHistory(jobId, "a")).toMatchObject({ batch: 3, fate: { kind: "going" } });
    });

    test("whether a key was planned before looks at earlier batches only", async () => {
      const ledger = ledgerOf();
      const lease = await claimedJob(ledger);
      const { jobId } = lease;
      await addKeys(ledger, lease, "a", "z");
      await addKeys(ledger, lease, "b", "a");
      expect(await ledger.wasPlannedBefore(jobId, "a", 1)).toBe(false);
      expect(await ledger.wasPlannedBefore(jobId, "a", 2)).toBe(true);
      expect(await ledger.wasPlannedBefore(jobId, "b", 2)).toBe(false);
      expect(await ledger.wasPlannedBefore(jobId, "b", 3)).toBe(true);
      const again = await addKeys(ledger, lease, "d");
      again.objects[0]!.fate = { kind: "skipped", reason: "duplicate" };
      await endStage(ledger, lease, again, "copy");
      expect(await ledger.wasPlannedBefore(jobId, "d", 4)).toBe(false);
      expect(await ledger.wasPlannedBefore(jobId, "A", 3)).toBe(false);
      expect(await ledger.wasPlannedBefore(jobId, "a ", 3)).toBe(false);
    });
  });
}
