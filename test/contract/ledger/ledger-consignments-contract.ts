/** How a ledger keeps consignments: their batches are in no other hands, and no write of an older run has an effect. */

import { describe, expect, test } from "vitest";
import type { Lease, Ledger } from "../../../src/ports/ledger.ts";
import { claimedJob, LEASE_MS, objectsOf, T0 } from "./ledger-fixtures.ts";

export function consignmentsContract(ledgerOf: () => Ledger): void {
  describe("consignments", () => {
    const planned = async (batches: number, most = 1_000) => {
      const ledger = ledgerOf();
      const lease = await claimedJob(ledger);
      for (let seq = 1; seq <= batches; seq += 1) {
        await ledger.addBatch(lease, { objects: objectsOf(`a${seq}`, `b${seq}`), cursor: `${seq}` }, T0);
      }
      const range = await ledger.plannedRange(lease.jobId, most);
      return { ledger, lease, range: range ?? { fromSeq: 0, toSeq: 0, objects: 0 } };
    };
    const open = (
      ledger: Ledger,
      lease: Lease,
      range: Parameters<typeof ledger.openConsignment>[1]["range"],
      token = "t",
    ) => ledger.openConsignment(lease, { token, range, notAfter: T0 + 5, at: T0 });
    const openSeqs = async (ledger: Ledger, jobId: string) =>
      (await ledger.openBatches({ jobId, afterSeq: 0, updatedBefore: null, limit: 100 })).map(
        ({ seq }) => seq,
      );
    const travelling = async (ledger: Ledger, jobId: string, id: number, afterSeq = 0, limit = 100) =>
      (await ledger.consignedBatches({ jobId, id, state: "consigned", afterSeq, limit })).map(
        ({ seq }) => seq,
      );

    test("hold consecutive planned batches up to a number of objects, at least one batch", async () => {
      const { ledger, lease, range } = await planned(5, 7);
      expect(range).toEqual({ fromSeq: 1, toSeq: 3, objects: 6 });
      expect(await ledger.plannedRange(lease.jobId, 1)).toEqual({ fromSeq: 1, toSeq: 1, objects: 2 });
      expect(await ledger.plannedRange(lease.jobId, 100)).toEqual({ fromSeq: 1, toSeq: 5, objects: 10 });
    });

    test("keep their batches from being taken up as open ones", async () => {
      const { ledger, lease, range } = await planned(5, 6);
      const record = await open(ledger, lease, range);
      expect(record).toEqual({
        ...{ jobId: lease.jobId, id: 1, token: "t", state: "open", objects: 6, notAfter: T0 + 5 },
        ...{ progress: null, createdAt: T0, endedAt: null },
      });
      expect(await openSeqs(ledger, lease.jobId)).toEqual([4, 5]);
      expect(await travelling(ledger, lease.jobId, 1)).toEqual([1, 2, 3]);
      expect(await travelling(ledger, lease.jobId, 1, 1, 1)).toEqual([2]);
      expect(await ledger.plannedRange(lease.jobId, 100)).toEqual({ fromSeq: 4, toSeq: 5, objects: 4 });
      const next = await open(ledger, lease, { fromSeq: 4, toSeq: 5, objects: 4 }, "u");
      expect(next.id).toBe(2);
      expect(await ledger.plannedRange(lease.jobId, 100)).toBeNull();
    });

    test("are recorded once for each token", async () => {
      const { ledger, lease, range } = await planned(3, 4);
      const record = await open(ledger, lease, range);
      expect(await open(ledger, lease, range)).toEqual(record);
      expect(await ledger.consignments(lease.jobId)).toEqual([record]);
      expect(await openSeqs(ledger, lease.jobId)).toEqual([3]);
    });

    test("keep their progress, and the first time of their end", async () => {
      const { ledger, lease, range } = await planned(1);
      await open(ledger, lease, range);
      await ledger.saveProgress(lease, 1, '{"é":1}');
      await ledger.closeConsignment(lease, 1, "ended", T0 + 7);
      await ledger.closeConsignment(lease, 1, "forgotten", T0 + 9);
      const [record] = await ledger.consignments(lease.jobId);
      expect(record).toMatchObject({ progress: '{"é":1}', state: "forgotten", endedAt: T0 + 7 });
    });

    test("give batches back to planning, as ones of which copies may have been made", async () => {
      const { ledger, lease, range } = await planned(2);
      await open(ledger, lease, range);
      await ledger.returnBatch(lease, 1);
      const [batch] = await ledger.openBatches({
        jobId: lease.jobId,
        afterSeq: 0,
        updatedBefore: null,
        limit: 9,
      });
      expect(batch).toMatchObject({ seq: 1, state: "planned", plannedUnder: 0 });
      expect(await travelling(ledger, lease.jobId, 1)).toEqual([2]);
    });

    test("let their batches go on when the copy is recorded, and not when it is recorded in part", async () => {
      const { ledger, lease, range } = await planned(1);
      await open(ledger, lease, range);
      const batches = () =>
        ledger.consignedBatches({ jobId: lease.jobId, id: 1, state: "consigned", afterSeq: 0, limit: 9 });
      const [batch] = await batches();
      if (batch === undefined) throw new Error("no batch");
      const outcome = { batch, stage: "copy", startedAt: T0, endedAt: T0 + 1, attempts: 1, rows: 0 } as const;
      await ledger.recordStage(lease, { ...outcome, isPartial: true });
      expect((await batches())[0]?.state).toBe("consigned");
      expect((await ledger.tally(lease.jobId)).copied).toBe(0);
      await ledger.recordStage(lease, { ...outcome, endedAt: T0 + 2 });
      expect(await batches()).toEqual([]);
      expect((await ledger.tally(lease.jobId)).copied).toBe(2);
    });

    test("are not changed by a run whose lease was taken over", async () => {
      const { ledger, lease, range } = await planned(3, 4);
      await open(ledger, lease, range);
      const later = await ledger.claim(lease.jobId, "other", T0 + LEASE_MS * 2, LEASE_MS);
      expect(later).not.toBeNull();
      const writes: readonly (() => Promise<unknown>)[] = [
        () => open(ledger, lease, { fromSeq: 3, toSeq: 3, objects: 2 }, "other"),
        () => ledger.saveProgress(lease, 1, "mine"),
        () => ledger.closeConsignment(lease, 1, "ended", T0),
        () => ledger.returnBatch(lease, 1),
      ];
      for (const write of writes) await expect(write()).rejects.toMatchObject({ code: "lease_lost" });
      expect(await ledger.consignments(lease.jobId)).toMatchObject([{ state: "open", progress: null }]);
      expect(await travelling(ledger, lease.jobId, 1)).toEqual([1, 2]);
      expect(await openSeqs(ledger, lease.jobId)).toEqual([3]);
    });
  });
}
