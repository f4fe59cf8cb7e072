/** One object's history out of many batches. */

import { describe, expect, test } from "vitest";
import type { Ledger } from "../../../src/ports/ledger.ts";
import { fingerprintsOf } from "../../../src/stores/ledger/batches/key-fingerprints.ts";
import {
  addKeys,
  claimedJob,
  endAllStages,
  endStage,
  failKey,
  objectOf,
  REPORT,
  T0,
} from "./ledger-fixtures.ts";

/** Two keys that fingerprints do not tell apart. */
const SAME_FINGERPRINT = ["n/e1f4fd6", "n/84fbd79"] as const;

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
        ...{ outcome: { kind: "moved" }, worker: "runner-1", plannedAt: T0 },
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
      failKey(batch, "a", "bad copy");
      for (const stage of ["verify", "update", "delete"] as const)
        await endStage(ledger, lease, batch, stage);
      expect(await ledger.objectHistory(lease.jobId, "a")).toMatchObject({
        ...{ copiedAt: T0 + 15, verifiedAt: null, updatedAt: null, deletedAt: null, targetEtag: null },
        outcome: { kind: "exception", code: "copy_refused", message: "bad copy" },
      });
    });

    test("does not claim a deletion where sources are kept", async () => {
      const ledger = ledgerOf();
      const lease = await claimedJob(ledger, { delete: { when: "never", after: "0s" } });
      await endAllStages(ledger, lease, await addKeys(ledger, lease, "a"));
      expect(await ledger.objectHistory(lease.jobId, "a")).toMatchObject({
        ...{ outcome: { kind: "moved" }, deletedAt: null, updatedAt: T0 + 35 },
      });
    });

    test("is that of the newest batch which did not hand the object on", async () => {
      const ledger = ledgerOf();
      const lease = await claimedJob(ledger);
      const { jobId } = lease;
      const first = await addKeys(ledger, lease, "a", "b");
      failKey(first, "a");
      await endAllStages(ledger, lease, first);
      const second = await addKeys(ledger, lease, "b", "c");
      second.objects[0]!.outcome = { kind: "skipped", reason: "duplicate" };
      await endAllStages(ledger, lease, second);
      // A duplicate says only that another batch has the object.
      expect(await ledger.objectHistory(jobId, "b")).toMatchObject({ batch: 1, outcome: { kind: "moved" } });
      await ledger.release(lease, END, T0);
      await ledger.replanExceptions(jobId, 10, T0);
      expect(await ledger.objectHistory(jobId, "a")).toMatchObject({
        batch: 3,
        outcome: { kind: "pending" },
      });
    });
  });

  // One or two keys are looked for in another way than many.
  describe.each([
    ["a few keys", []],
    ["many keys", Array.from({ length: 10 }, (_, n) => `stranger ${n}`)],
  ])("which of %s were planned before", (_, strangers) => {
    const among = async (ledger: Ledger, jobId: string, keys: readonly string[], seq: number) => {
      const found = new Set<string>();
      // Two at a time where they are few: that is what is looked for as a few.
      const atOnce = strangers.length === 0 ? 2 : keys.length;
      for (let from = 0; from < keys.length; from += atOnce) {
        const asked = [...keys.slice(from, from + atOnce), ...strangers];
        for (const key of await ledger.plannedBefore(jobId, asked, seq)) found.add(key);
      }
      return [...found].sort();
    };

    test("is asked of earlier batches only", async () => {
      const ledger = ledgerOf();
      const lease = await claimedJob(ledger);
      const { jobId } = lease;
      await addKeys(ledger, lease, "a", "z");
      await addKeys(ledger, lease, "b", "a");
      await addKeys(ledger, await claimedJob(ledger), "a", "b", "c");
      expect(await among(ledger, jobId, ["a", "b", "c", "z"], 1)).toEqual([]);
      expect(await among(ledger, jobId, ["a", "b", "c", "z"], 2)).toEqual(["a", "z"]);
      expect(await among(ledger, jobId, ["a", "b", "c", "z"], 3)).toEqual(["a", "b", "z"]);
      expect(await among(ledger, jobId, [], 3)).toEqual([]);
    });

    test("leaves out what only points to another batch, and what was gone before it was copied", async () => {
      const ledger = ledgerOf();
      const lease = await claimedJob(ledger);
      const again = await addKeys(ledger, lease, "d", "e", "f");
      again.objects[0]!.outcome = { kind: "skipped", reason: "duplicate" };
      again.objects[1]!.outcome = { kind: "skipped", reason: "retried" };
      again.objects[2]!.outcome = { kind: "skipped", reason: "source_gone" };
      await endStage(ledger, lease, again, "copy");
      expect(await among(ledger, lease.jobId, ["d", "e", "f"], 2)).toEqual([]);
    });

    test("and what became of them where they were planned last", async () => {
      const ledger = ledgerOf();
      const lease = await claimedJob(ledger);
      const { jobId } = lease;
      await endAllStages(ledger, lease, await addKeys(ledger, lease, "a", "b", "z"));
      const second = await addKeys(ledger, lease, "b", "y");
      await endStage(ledger, lease, second, "copy");
      const third = await addKeys(ledger, lease, "z");
      third.objects[0]!.outcome = { kind: "skipped", reason: "duplicate" };
      await endStage(ledger, lease, third, "copy");
      const found = await ledger.lastPlanned(jobId, ["a", "b", "y", "z", "nothing", ...strangers]);
      expect([...found].sort()).toMatchObject([
        ["a", { batch: 1, object: { key: "a", outcome: { kind: "moved" }, targetEtag: expect.any(String) } }],
        ["b", { batch: 2, object: { key: "b", outcome: { kind: "pending" } } }],
        ["y", { batch: 2, object: { key: "y" } }],
        ["z", { batch: 1, object: { outcome: { kind: "moved" } } }],
      ]);
      expect([...(await ledger.lastPlanned(jobId, ["b"])).values()]).toMatchObject([{ batch: 2 }]);
    });

    test("tells keys apart by their bytes, whatever their fingerprints say", async () => {
      const ledger = ledgerOf();
      const lease = await claimedJob(ledger);
      const [one, other] = SAME_FINGERPRINT;
      expect(fingerprintsOf([one])).toEqual(fingerprintsOf([other]));
      await addKeys(ledger, lease, "a", "n/", one, "z");
      expect(await among(ledger, lease.jobId, ["A", "a ", "\u00e1", other, one, "n/"], 2)).toEqual(
        [one, "n/"].sort(),
      );
      expect(await among(ledger, lease.jobId, [other], 2)).toEqual([]);
    });
  });
}
