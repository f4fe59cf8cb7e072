/** What every ledger must do about batches: planning, stages, resuming, exceptions, and taking these up again. */

import { describe, expect, test } from "vitest";
import { MOVED } from "../../../src/domain/batch.ts";
import type { Ledger } from "../../../src/ports/ledger.ts";
import { hostileKeys } from "../../support/hostile-keys.ts";
import {
  ALL_OPEN,
  addKeys,
  claimedJob,
  endAllStages,
  endStage,
  failKey,
  LEASE_MS,
  objectOf,
  objectsOf,
  outcomeOf,
  outcomes,
  planned,
  REPORT,
  T0,
} from "./ledger-fixtures.ts";

const END = { state: "paused", reason: null, waiting: null, report: REPORT } as const;

export function batchesContract(ledgerOf: () => Ledger): void {
  describe("planning", () => {
    test("batches follow one another, also under a later lease, and the last cursor is kept exactly", async () => {
      const ledger = ledgerOf();
      const lease = await claimedJob(ledger);
      expect(await ledger.lastCursor(lease.jobId)).toBeNull();
      expect(await addKeys(ledger, lease, "a", "b")).toMatchObject({
        seq: 1,
        state: "planned",
        updatedAt: null,
      });
      expect(await addKeys(ledger, lease, "c")).toMatchObject({ seq: 2 });
      await ledger.release(lease, { ...END, state: "queued" }, T0);
      const next = await ledger.claim(lease.jobId, "runner-2", T0, LEASE_MS);
      const cursor = "🚚 \u0000 \ud800 end ";
      const third = await ledger.addBatch(next!, { objects: objectsOf("d"), cursor }, T0);
      expect(third).toMatchObject({ seq: 3, plannedUnder: next!.token });
      expect(await ledger.lastCursor(lease.jobId)).toBe(cursor);
    });

    test("batches added at once get different seqs in the order they came", async () => {
      const ledger = ledgerOf();
      const lease = await claimedJob(ledger);
      const added = await Promise.all(["a", "b", "c", "d"].map((key) => addKeys(ledger, lease, key)));
      expect(added.map((batch) => batch.seq)).toEqual([1, 2, 3, 4]);
      expect(await ledger.lastCursor(lease.jobId)).toBe("d");
    });

    test("objects come back exactly as they were planned", async () => {
      const ledger = ledgerOf();
      const lease = await claimedJob(ledger);
      const odd = [
        objectOf("x", { etag: "0123456789abcdef0123456789abcdef-12", storageClass: "GLACIER" }),
        objectOf("x", { etag: "", size: 0 }),
        objectOf("", { etag: "0123456789ABCDEF0123456789ABCDEF", size: 5 * 1024 ** 4 }),
        objectOf("lone \ud800", { etag: "not an md5", rows: [{ reference: 1, id: "018f-uuid" }] }),
        objectOf("many", {
          rows: [
            { reference: 0, id: "9007199254740993" },
            { reference: 2, id: "007" },
          ],
        }),
      ];
      const objects = [...hostileKeys.map((key) => objectOf(key)), ...odd];
      await ledger.addBatch(lease, { objects, cursor: "" }, T0);
      const [batch] = await ledger.openBatches({ jobId: lease.jobId, ...ALL_OPEN });
      expect(planned(batch!.objects)).toEqual(planned(objects));
      for (const { key } of objects) {
        expect((await ledger.objectHistory(lease.jobId, key))?.key).toBe(key);
        expect(await ledger.objectHistory(lease.jobId, `${key} `)).toBeNull();
      }
    });

    test("an object that fails at planning is an exception at once", async () => {
      const ledger = ledgerOf();
      const lease = await claimedJob(ledger);
      const outcome = { kind: "exception", code: "key_too_long", message: "1,025 bytes" } as const;
      const gone = { kind: "skipped", reason: "source_gone" } as const;
      const objects = [objectOf("a"), objectOf("b", { outcome }), objectOf("c", { outcome: gone })];
      const batch = await ledger.addBatch(lease, { objects, cursor: "c" }, T0);
      await endAllStages(ledger, lease, batch);
      const { items } = await ledger.exceptions(lease.jobId, null, 10);
      expect(items).toMatchObject([
        { key: "b", stage: "plan", code: "key_too_long", message: "1,025 bytes" },
      ]);
      expect(await ledger.tally(lease.jobId)).toMatchObject({
        ...{ planned: 3, copied: 1, moved: 1, skipped: 1, exceptions: 1, bytes: 300, bytesCopied: 100 },
      });
    });
  });

  describe("stages", () => {
    test("each stage leaves its time, attempts, worker and numbers", async () => {
      const ledger = ledgerOf();
      const lease = await claimedJob(ledger);
      const batch = await addKeys(ledger, lease, "b", "a", "é");
      await endStage(ledger, lease, batch, "copy", { attempts: 2 });
      await endStage(ledger, lease, batch, "verify");
      await endStage(ledger, lease, batch, "update", { rows: 7 });
      const [shown] = (await ledger.batches(lease.jobId, null, 1)).items;
      expect(shown).toMatchObject({
        ...{ seq: 1, state: "updated", planned: 3, moved: 0, bytes: 300, rowsUpdated: 7, worker: "runner-1" },
        ...{ firstKey: "a", lastKey: "é", plannedAt: T0 },
        copy: { startedAt: T0 + 10, endedAt: T0 + 15, attempts: 2 },
        update: { startedAt: T0 + 30, endedAt: T0 + 35, attempts: 1 },
        delete: { startedAt: null, endedAt: null, attempts: 0 },
      });
      await endStage(ledger, lease, batch, "delete");
      expect((await ledger.batches(lease.jobId, null, 1)).items).toMatchObject([{ state: "done", moved: 3 }]);
    });

    test("the same end of a stage recorded twice counts once; another run's attempts add up", async () => {
      const ledger = ledgerOf();
      const lease = await claimedJob(ledger);
      const batch = await addKeys(ledger, lease, "a", "b");
      await endStage(ledger, lease, batch, "copy");
      await endStage(ledger, lease, batch, "verify");
      failKey(batch, "a");
      const outcome = outcomeOf(batch, "update", { attempts: 3, rows: 5 });
      await ledger.recordStage(lease, outcome);
      await ledger.recordStage(lease, outcome);
      // A copy of the batch, as if another process recorded it: the exception's row is there already.
      await ledger.recordStage(lease, { ...outcome, batch: { ...batch, objects: [...batch.objects] } });
      expect((await ledger.exceptions(lease.jobId, null, 10)).items).toHaveLength(1);
      expect(await ledger.tally(lease.jobId)).toMatchObject({ rowsUpdated: 5, updated: 1, exceptions: 1 });
      await ledger.recordStage(lease, { ...outcome, endedAt: outcome.endedAt + 1, attempts: 2, rows: 1 });
      const { items } = await ledger.batches(lease.jobId, null, 10);
      expect(items).toMatchObject([{ update: { attempts: 5 }, rowsUpdated: 6 }]);
    });

    test("a newer version of a source that was adopted before the copy is kept", async () => {
      const ledger = ledgerOf();
      const lease = await claimedJob(ledger);
      const batch = await addKeys(ledger, lease, "a", "b");
      batch.objects[1]!.size = 4_000;
      batch.objects[1]!.etag = "f".repeat(32);
      await endStage(ledger, lease, batch, "copy");
      const [loaded] = await ledger.openBatches({ jobId: lease.jobId, ...ALL_OPEN });
      expect(planned(loaded!.objects)).toEqual(planned(batch.objects));
      expect(await ledger.tally(lease.jobId)).toMatchObject({ bytes: 4_100, bytesCopied: 4_100 });
    });

    test("open batches come in order with their outcomes; updated ones when their grace is over", async () => {
      const ledger = ledgerOf();
      const lease = await claimedJob(ledger);
      const { jobId } = lease;
      const batches = [];
      for (const key of ["a", "b", "c", "d", "e"]) batches.push(await addKeys(ledger, lease, key, `${key}2`));
      const [first, second, third] = batches;
      await endAllStages(ledger, lease, first!);
      for (const stage of ["copy", "verify", "update"] as const)
        await endStage(ledger, lease, second!, stage);
      failKey(third!, "c2", "boom");
      await endStage(ledger, lease, third!, "copy");
      await endStage(ledger, lease, third!, "verify");

      const open = async (afterSeq: number, updatedBefore: number | null, limit = 10) =>
        (await ledger.openBatches({ jobId, afterSeq, updatedBefore, limit })).map((batch) => batch.seq);
      expect(await open(0, null)).toEqual([3, 4, 5]);
      expect(await open(0, T0 + 34)).toEqual([3, 4, 5]);
      expect(await open(0, T0 + 35)).toEqual([2, 3, 4, 5]);
      expect(await open(2, T0 + 35, 2)).toEqual([3, 4]);
      expect(await ledger.earliestUpdated(jobId)).toBe(T0 + 35);
      const [loaded, failed] = await ledger.openBatches({ jobId, ...ALL_OPEN });
      expect(loaded).toEqual(second);
      expect(failed).toEqual(third);
      expect(outcomes(failed)).toEqual(["pending", "exception"]);
      await endStage(ledger, lease, second!, "delete");
      expect(await ledger.earliestUpdated(jobId)).toBeNull();
    });

    test("a stage that was stopped half-way keeps its batch open, and counts what it has settled", async () => {
      const ledger = ledgerOf();
      const lease = await claimedJob(ledger);
      const { jobId } = lease;
      const batch = await addKeys(ledger, lease, "a", "b", "c");
      for (const stage of ["copy", "verify", "update"] as const) await endStage(ledger, lease, batch, stage);
      batch.objects[0]!.outcome = MOVED;
      failKey(batch, "b", "boom");
      await ledger.recordStage(lease, outcomeOf(batch, "delete", { rows: 2, isPartial: true }));
      expect(await ledger.tally(jobId)).toMatchObject({ moved: 1, exceptions: 1, rowsUpdated: 2 });
      const [open] = await ledger.openBatches({ jobId, ...ALL_OPEN });
      expect(open?.state).toBe("updated");
      expect(outcomes(open)).toEqual(["moved", "exception", "pending"]);
      expect((await ledger.exceptions(jobId, null, 9)).items).toMatchObject([{ key: "b", stage: "delete" }]);
      await endStage(ledger, lease, open!, "delete", { startedAt: T0 + 90, endedAt: T0 + 91, rows: 3 });
      expect(await ledger.tally(jobId)).toMatchObject({ moved: 2, exceptions: 1, rowsUpdated: 5 });
      expect((await ledger.exceptions(jobId, null, 9)).items).toHaveLength(1);
    });

    test("batches and exceptions are paged in order", async () => {
      const ledger = ledgerOf();
      const lease = await claimedJob(ledger);
      for (const key of ["a", "b", "c"]) {
        const batch = await addKeys(ledger, lease, key);
        failKey(batch, key, "🚚".repeat(300));
        await endStage(ledger, lease, batch, "copy");
      }
      const first = await ledger.exceptions(lease.jobId, null, 2);
      const rest = await ledger.exceptions(lease.jobId, first.next, 2);
      expect([...first.items, ...rest.items].map(({ key, batch }) => [key, batch])).toEqual([
        ["a", 1],
        ["b", 2],
        ["c", 3],
      ]);
      expect(rest.items).toMatchObject([{ message: "🚚".repeat(300), at: T0 + 15, stage: "copy" }]);
      const page = await ledger.batches(lease.jobId, (await ledger.batches(lease.jobId, null, 2)).next, 2);
      expect(page.items.map((batch) => batch.seq)).toEqual([3]);
    });
  });

  describe("taking up exceptions again", () => {
    test("failed objects move to new batches, and out of the sums of the old ones", async () => {
      const ledger = ledgerOf();
      const lease = await claimedJob(ledger);
      const { jobId } = lease;
      const one = await addKeys(ledger, lease, "a", "b", "c");
      failKey(one, "a");
      await endStage(ledger, lease, one, "copy");
      failKey(one, "b");
      for (const stage of ["verify", "update", "delete"] as const) await endStage(ledger, lease, one, stage);
      const two = await addKeys(ledger, lease, "d", "e");
      for (const stage of ["copy", "verify"] as const) await endStage(ledger, lease, two, stage);
      failKey(two, "d");
      for (const stage of ["update", "delete"] as const) await endStage(ledger, lease, two, stage);
      expect(await ledger.tally(jobId)).toMatchObject({ planned: 5, copied: 4, moved: 2, exceptions: 3 });
      await expect(ledger.replanExceptions(jobId, 10, T0)).rejects.toMatchObject({ code: "state_conflict" });
      await ledger.release(lease, END, T0);

      expect(await ledger.replanExceptions(jobId, 2, T0 + 60)).toBe(2);
      expect(await ledger.replanExceptions(jobId, 2, T0 + 60)).toBe(1);
      expect(await ledger.replanExceptions(jobId, 2, T0 + 60)).toBe(0);
      expect((await ledger.exceptions(jobId, null, 10)).items).toEqual([]);
      expect(await ledger.tally(jobId)).toMatchObject({
        ...{ planned: 5, copied: 2, verified: 2, updated: 2, moved: 2, skipped: 0, exceptions: 0 },
        ...{ bytes: 500, bytesCopied: 200 },
      });
      const again = await ledger.openBatches({ jobId, ...ALL_OPEN });
      expect(again.map((batch) => batch.objects.map((object) => object.key))).toEqual([["a", "b"], ["d"]]);
      // Fresh work for the next run; the ETag of a copy that this job has verified stays known.
      const plannedUnder = lease.token + 1;
      expect(again).toMatchObject([
        { seq: 3, plannedUnder, state: "planned" },
        { seq: 4, plannedUnder },
      ]);
      expect(again[1]?.objects[0]?.targetEtag).toBe(again[1]?.objects[0]?.etag);
      // Retried objects have left their old batches: the new one is their first.
      expect(await ledger.plannedBefore(jobId, ["a"], 3)).toEqual(new Set());
      expect(await ledger.plannedBefore(jobId, ["a"], 4)).toEqual(new Set(["a"]));
      expect(await ledger.objectHistory(jobId, "a")).toMatchObject({
        batch: 3,
        outcome: { kind: "pending" },
      });
      // The inventory goes on where it was.
      expect(await ledger.lastCursor(jobId)).toBe("e");
      await expect(ledger.replanExceptions("nothing", 1, T0)).rejects.toMatchObject({ code: "not_found" });
    });
  });
}
