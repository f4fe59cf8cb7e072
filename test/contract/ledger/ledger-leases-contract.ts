/** What every ledger must do about leases: one runner at a time, reports, releases, and operators heard meanwhile. */

import { describe, expect, test } from "vitest";
import type { Ledger } from "../../../src/ports/ledger.ts";
import { change, claimedJob, LEASE_MS, REPORT, submit, T0 } from "./ledger-fixtures.ts";

const END = { state: "paused", reason: null, waiting: null, report: REPORT } as const;
const THROTTLED = { reason: "throttled", since: T0, until: T0 + 9, detail: "503 🐌" } as const;

export function leasesContract(ledgerOf: () => Ledger): void {
  describe("leases", () => {
    test("of twenty claims at once one wins", async () => {
      const ledger = ledgerOf();
      const { job } = await submit(ledger);
      const claims = await Promise.all(
        Array.from({ length: 20 }, (_, n) => ledger.claim(job.id, `runner-${n}`, T0, LEASE_MS)),
      );
      const won = claims.filter((lease) => lease !== null);
      expect(won).toHaveLength(1);
      expect(await ledger.job(job.id)).toMatchObject({
        ...{ state: "running", fencingToken: won[0]!.token, leaseOwner: won[0]!.owner },
        ...{ leaseUntil: T0 + LEASE_MS, startedAt: T0, version: 2 },
      });
      const { items } = await ledger.audit(job.id, null, 30);
      expect(items.filter((event) => event.action === "claim")).toMatchObject([{ actor: won[0]!.owner }]);
    });

    test("a job is claimed again only after its lease, with a greater token", async () => {
      const ledger = ledgerOf();
      const lease = await claimedJob(ledger);
      expect(await ledger.claim(lease.jobId, "runner-2", T0 + LEASE_MS - 1, LEASE_MS)).toBeNull();
      await ledger.renew(lease, REPORT, T0 + 10, LEASE_MS);
      expect(await ledger.claim(lease.jobId, "runner-2", T0 + LEASE_MS, LEASE_MS)).toBeNull();
      const next = await ledger.claim(lease.jobId, "runner-2", T0 + LEASE_MS + 10, LEASE_MS);
      expect(next?.token).toBeGreaterThan(lease.token);
      expect(await ledger.claim("nothing", "runner-2", T0, LEASE_MS)).toBeNull();
    });

    test.each(["paused", "cancelled", "completed", "completed_with_exceptions", "failed"] as const)(
      "a job that is %s is not claimed",
      async (state) => {
        const ledger = ledgerOf();
        const { job } = await submit(ledger);
        await change(ledger, job.id, "queued", state);
        expect(await ledger.claim(job.id, "runner", T0, LEASE_MS)).toBeNull();
      },
    );

    test.each(["pausing", "cancelling"] as const)("a job left %s is claimed to be settled", async (state) => {
      const ledger = ledgerOf();
      const { job } = await submit(ledger);
      await change(ledger, job.id, "queued", state);
      expect(await ledger.claim(job.id, "runner", T0, LEASE_MS)).not.toBeNull();
      expect(await ledger.job(job.id)).toMatchObject({ state });
    });

    test("what was sent is stored between renewals, raises no version, and not after the release", async () => {
      const ledger = ledgerOf();
      const lease = await claimedJob(ledger);
      const before = await ledger.job(lease.jobId);
      const sent = { requests: { ...REPORT.requests, copy: 4711 }, statements: { app: 12 } };
      await ledger.recordSent(lease, sent);
      expect(await ledger.job(lease.jobId)).toEqual({ ...before, ...sent });
      const end = { state: "completed", reason: null, waiting: null, report: REPORT } as const;
      await ledger.release(lease, end, T0 + 1);
      await ledger.recordSent(lease, sent);
      expect((await ledger.job(lease.jobId))?.requests).toEqual(REPORT.requests);
    });

    test("a renewal stores the report, and raises the version only for what an operator can see", async () => {
      const ledger = ledgerOf();
      const lease = await claimedJob(ledger);
      const report = {
        ...REPORT,
        requests: { ...REPORT.requests, copy: 5 },
        statements: { app: 3 },
        activeMs: 8,
      };
      const first = await ledger.renew(lease, report, T0 + 1, LEASE_MS);
      expect(first).toMatchObject({ version: 2, requests: { copy: 5 }, statements: { app: 3 }, activeMs: 8 });
      expect(first.leaseUntil).toBe(T0 + 1 + LEASE_MS);
      const waiting = { ...report, state: "waiting", waiting: THROTTLED } as const;
      const second = await ledger.renew(lease, waiting, T0 + 2, LEASE_MS);
      expect(second).toMatchObject({ state: "waiting", waiting: THROTTLED, version: 3 });
      expect(await ledger.renew(lease, waiting, T0 + 3, LEASE_MS)).toMatchObject({ version: 3 });
      expect(await ledger.renew(lease, report, T0 + 4, LEASE_MS)).toMatchObject({
        version: 4,
        waiting: null,
      });
    });

    test.each(["pausing", "cancelling"] as const)("a renewal leaves a job %s", async (state) => {
      const ledger = ledgerOf();
      const lease = await claimedJob(ledger);
      await change(ledger, lease.jobId, "running", state);
      const waiting = { ...REPORT, state: "waiting", waiting: THROTTLED } as const;
      expect(await ledger.renew(lease, waiting, T0 + 1, LEASE_MS)).toMatchObject({ state, waiting: null });
    });

    test("a renewal tells the truth of a job that was resumed before its runner took notice of the pause", async () => {
      const ledger = ledgerOf();
      const lease = await claimedJob(ledger);
      await change(ledger, lease.jobId, "running", "queued");
      expect(await ledger.renew(lease, REPORT, T0 + 1, LEASE_MS)).toMatchObject({ state: "running" });
    });

    test.each(["cancelled", "paused"] as const)(
      "a release leaves a job %s that was so before",
      async (state) => {
        const ledger = ledgerOf();
        const lease = await claimedJob(ledger);
        await change(ledger, lease.jobId, "running", state);
        const before = await ledger.job(lease.jobId);
        await ledger.release(lease, { ...END, state: "queued" }, T0 + 5);
        expect(await ledger.job(lease.jobId)).toMatchObject({
          state,
          finishedAt: before?.finishedAt ?? null,
        });
      },
    );

    test("a release ends the lease in the given state, and may be repeated", async () => {
      const ledger = ledgerOf();
      const lease = await claimedJob(ledger);
      const end = { ...END, state: "completed", report: { ...REPORT, activeMs: 77 } } as const;
      await ledger.release(lease, end, T0 + 5);
      const released = await ledger.job(lease.jobId);
      expect(released).toMatchObject({ state: "completed", finishedAt: T0 + 5, activeMs: 77 });
      expect(released).toMatchObject({ leaseOwner: null, leaseUntil: null });
      await ledger.release(lease, end, T0 + 6);
      expect(await ledger.job(lease.jobId)).toEqual(released);
      await expect(ledger.renew(lease, REPORT, T0, LEASE_MS)).rejects.toMatchObject({ code: "lease_lost" });
    });

    test.each([
      ["cancelling", "paused", "cancelling"],
      ["queued", "paused", "queued"],
      ["pausing", "paused", "paused"],
      ["pausing", "queued", "pausing"],
      ["cancelling", "waiting", "cancelling"],
      ["cancelling", "completed", "completed"],
      ["pausing", "failed", "failed"],
    ] as const)("asked to be %s and released %s, a job is %s", async (asked, released, left) => {
      const ledger = ledgerOf();
      const lease = await claimedJob(ledger);
      await change(ledger, lease.jobId, "running", asked);
      await ledger.release(lease, { ...END, state: released, reason: "r", waiting: null }, T0 + 9);
      const reason = left === released ? "r" : null;
      expect(await ledger.job(lease.jobId)).toMatchObject({ state: left, reason, leaseOwner: null });
    });

    test("the plan is finished once", async () => {
      const ledger = ledgerOf();
      const lease = await claimedJob(ledger);
      await ledger.planFinished(lease, T0 + 1);
      expect(await ledger.job(lease.jobId)).toMatchObject({ planDone: true, version: 3 });
      await ledger.planFinished(lease, T0 + 2);
      expect(await ledger.job(lease.jobId)).toMatchObject({ planDone: true, version: 3, updatedAt: T0 + 1 });
    });

    test("what was counted ahead is kept, the last count of several, through a claim by somebody else", async () => {
      const ledger = ledgerOf();
      const lease = await claimedJob(ledger);
      expect((await ledger.job(lease.jobId))?.expected).toBeNull();
      await ledger.expectObjects(lease, { objects: 7, bytes: null }, T0 + 1);
      const expected = { objects: 10_000_000_000, bytes: 9_007_199_254_740_991 };
      await ledger.expectObjects(lease, expected, T0 + 2);
      expect(await ledger.job(lease.jobId)).toMatchObject({ expected, version: 4, updatedAt: T0 + 2 });
      await ledger.claim(lease.jobId, "another", T0 + 2 * LEASE_MS, LEASE_MS);
      expect(await ledger.job(lease.jobId)).toMatchObject({ expected, leaseOwner: "another" });
    });
  });
}
