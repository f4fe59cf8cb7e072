/** A runner whose lease was taken over writes nothing, anywhere. */

import { describe, expect, test } from "vitest";
import type { Lease, Ledger } from "../../../src/ports/ledger.ts";
import {
  ALL_OPEN,
  addKeys,
  claimedJob,
  failKey,
  LEASE_MS,
  objectOf,
  outcomeOf,
  REPORT,
  T0,
} from "./ledger-fixtures.ts";

const LOST = { code: "lease_lost" };
const LATER = T0 + LEASE_MS;

/** Everything the ledger shows of a job. */
async function allOf(ledger: Ledger, jobId: string) {
  return {
    job: await ledger.job(jobId),
    tally: await ledger.tally(jobId),
    batches: await ledger.batches(jobId, null, 100),
    open: await ledger.openBatches({ jobId, ...ALL_OPEN }),
    exceptions: await ledger.exceptions(jobId, null, 100),
    audit: await ledger.audit(jobId, null, 100),
    cursor: await ledger.lastCursor(jobId),
  };
}

async function takenOver(ledger: Ledger): Promise<{ old: Lease; current: Lease }> {
  const old = await claimedJob(ledger);
  await addKeys(ledger, old, "a", "b");
  const current = await ledger.claim(old.jobId, "runner-2", LATER, LEASE_MS);
  return { old, current: current! };
}

export function fencingContract(ledgerOf: () => Ledger): void {
  describe("fencing", () => {
    test("an old lease writes nothing, anywhere", async () => {
      const ledger = ledgerOf();
      const { old } = await takenOver(ledger);
      const [batch] = await ledger.openBatches({ jobId: old.jobId, ...ALL_OPEN });
      const before = await allOf(ledger, old.jobId);
      const refused = {
        ...objectOf("c"),
        outcome: { kind: "exception", code: "key_invalid", message: "" },
      } as const;
      const end = { state: "completed", reason: null, waiting: null, report: REPORT } as const;
      await expect(ledger.renew(old, REPORT, LATER, LEASE_MS)).rejects.toMatchObject(LOST);
      await ledger.recordSent(old, { requests: { ...REPORT.requests, copy: 77 }, statements: { app: 7 } });
      await expect(ledger.release(old, end, LATER)).rejects.toMatchObject(LOST);
      await expect(ledger.planFinished(old, LATER)).rejects.toMatchObject(LOST);
      await expect(ledger.expectObjects(old, { objects: 1, bytes: 1 }, LATER)).rejects.toMatchObject(LOST);
      await expect(addKeys(ledger, old, "c")).rejects.toMatchObject(LOST);
      const withException = ledger.addBatch(old, { objects: [refused], cursor: "c" }, LATER);
      await expect(withException).rejects.toMatchObject(LOST);
      await expect(ledger.recordStage(old, outcomeOf(batch!, "copy"))).rejects.toMatchObject(LOST);
      failKey(batch!, "a");
      await expect(ledger.recordStage(old, outcomeOf(batch!, "copy"))).rejects.toMatchObject(LOST);
      expect(await allOf(ledger, old.jobId)).toEqual(before);
    });

    test("an old lease that knows the last seq does not plan behind the new one's batches either", async () => {
      const ledger = ledgerOf();
      const { old, current } = await takenOver(ledger);
      expect(await addKeys(ledger, current, "c")).toMatchObject({ seq: 2, plannedUnder: current.token });
      await expect(addKeys(ledger, old, "d")).rejects.toMatchObject(LOST);
      expect(await addKeys(ledger, current, "e")).toMatchObject({ seq: 3 });
    });

    test("a batch that an old lease planned is recorded by the new one", async () => {
      const ledger = ledgerOf();
      const { old, current } = await takenOver(ledger);
      const [batch] = await ledger.openBatches({ jobId: old.jobId, ...ALL_OPEN });
      expect(batch?.plannedUnder).toBe(old.token);
      await ledger.recordStage(current, outcomeOf(batch!, "copy"));
      const { items } = await ledger.batches(old.jobId, null, 10);
      expect(items).toMatchObject([{ state: "copied", worker: "runner-2" }]);
    });

    test("a job that does not exist has no leases", async () => {
      const lease = { jobId: "nothing", owner: "runner", token: 1 };
      await expect(addKeys(ledgerOf(), lease, "a")).rejects.toMatchObject(LOST);
      await expect(ledgerOf().renew(lease, REPORT, T0, LEASE_MS)).rejects.toMatchObject(LOST);
    });
  });
}
