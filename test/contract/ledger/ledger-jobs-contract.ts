/** What every ledger must do about jobs: recording, listing, operators' changes and the audit trail. */

import { describe, expect, test } from "vitest";
import type { Ledger } from "../../../src/ports/ledger.ts";
import { change, specOf, submit, T0 } from "./ledger-fixtures.ts";

export function jobsContract(ledgerOf: () => Ledger): void {
  describe("jobs", () => {
    test("a new job is queued, complete and on the audit trail", async () => {
      const ledger = ledgerOf();
      const { job, created } = await submit(ledger, null, "Ünïcode 🚚 ");
      expect(created).toBe(true);
      expect(await ledger.job(job.id)).toEqual(job);
      expect(job).toMatchObject({ name: "Ünïcode 🚚 ", state: "queued", version: 1, createdAt: T0 });
      expect(job.spec).toEqual(specOf({ name: "Ünïcode 🚚 " }));
      expect(job).toMatchObject({ planDone: false, leaseOwner: null, waiting: null, finishedAt: null });
      const { items } = await ledger.audit(job.id, null, 10);
      expect(items).toMatchObject([{ at: T0, actor: "ci", action: "submit" }]);
    });

    test("there is no job of an unknown id", async () => {
      expect(await ledgerOf().job("nothing")).toBeNull();
    });

    test("the same idempotency key gives the same job, and with another spec a conflict", async () => {
      const ledger = ledgerOf();
      const first = await submit(ledger, "key-1");
      const reordered = Object.fromEntries(
        Object.entries(specOf()).reverse(),
      ) as unknown as typeof first.job.spec;
      const request = { spec: reordered, idempotencyKey: "key-1", actor: "ci", at: T0 + 1 };
      const again = await ledger.createJob(request);
      expect(again).toEqual({ job: first.job, created: false });
      expect(await ledger.jobByIdempotencyKey("key-1")).toEqual(first.job);
      expect(await ledger.jobByIdempotencyKey("key-1 ")).toBeNull();
      await expect(submit(ledger, "key-1", "other")).rejects.toMatchObject({ code: "idempotency_conflict" });
      // Not the same key, whatever a collation says.
      expect((await submit(ledger, "key-1 ")).created).toBe(true);
      expect((await submit(ledger, "KEY-1")).created).toBe(true);
      expect((await ledger.audit(first.job.id, null, 10)).items).toHaveLength(1);
    });

    test("of twenty requests at once with one idempotency key one makes the job", async () => {
      const ledger = ledgerOf();
      const answers = await Promise.all(Array.from({ length: 20 }, () => submit(ledger, "stampede")));
      expect(answers.filter((answer) => answer.created)).toHaveLength(1);
      expect(new Set(answers.map((answer) => answer.job.id)).size).toBe(1);
    });

    test("jobs are listed newest first, by state, page by page", async () => {
      const ledger = ledgerOf();
      const ids: string[] = [];
      // In the far future, so that the jobs of other tests come after them.
      for (let i = 0; i < 5; i += 1) ids.unshift((await submit(ledger, null, `page ${i}`, T0 * 2)).job.id);
      await change(ledger, ids[1]!, "queued", "paused");
      const first = await ledger.jobs({ states: null, limit: 3, cursor: null });
      expect(first.items.map((job) => job.id)).toEqual(ids.slice(0, 3));
      const second = await ledger.jobs({ states: null, limit: 2, cursor: first.next });
      expect(second.items.map((job) => job.id)).toEqual(ids.slice(3));
      const paused = await ledger.jobs({ states: ["paused"], limit: 1, cursor: null });
      expect(paused.items.map((job) => job.id)).toEqual([ids[1]]);
      expect(await ledger.jobs({ states: [], limit: 5, cursor: null })).toEqual({ items: [], next: null });
    });

    test("a cursor of another list, or of nobody, is invalid input", async () => {
      const ledger = ledgerOf();
      const { job } = await submit(ledger);
      await ledger.addAudit(job.id, { at: T0, actor: "a", action: "b", detail: "c" });
      const { next } = await ledger.audit(job.id, null, 1);
      for (const cursor of [
        "",
        "nonsense",
        "§",
        next!,
        "YXVkaXQ6LTE",
        Buffer.from("jobs:x").toString("base64url"),
      ]) {
        const fault = { code: "invalid_input", faults: [{ pointer: "/cursor" }] };
        await expect(ledger.jobs({ states: null, limit: 1, cursor })).rejects.toMatchObject(fault);
        await expect(ledger.batches(job.id, cursor, 1)).rejects.toMatchObject(fault);
        await expect(ledger.exceptions(job.id, cursor, 1)).rejects.toMatchObject(fault);
        if (cursor !== next) await expect(ledger.audit(job.id, cursor, 1)).rejects.toMatchObject(fault);
      }
    });

    test("a state changes only from the state it was seen in, together with its audit event", async () => {
      const ledger = ledgerOf();
      const { job } = await submit(ledger);
      const paused = await change(ledger, job.id, "queued", "paused", "lunch");
      expect(paused).toMatchObject({ state: "paused", reason: "lunch", version: 2, updatedAt: T0 + 7 });
      expect(await change(ledger, job.id, "queued", "cancelled")).toBeNull();
      expect(await change(ledger, job.id, "paused", "queued")).toMatchObject({ reason: null, version: 3 });
      const failed = await change(ledger, job.id, "queued", "failed", "no bucket");
      expect(failed).toMatchObject({ state: "failed", reason: "no bucket", finishedAt: T0 + 7 });
      expect(await change(ledger, job.id, "failed", "queued")).toMatchObject({
        finishedAt: null,
        reason: null,
      });
      const { items } = await ledger.audit(job.id, null, 10);
      expect(items.map((event) => event.action)).toEqual(["submit", "pause", "pause", "pause", "pause"]);
      expect(items[1]).toMatchObject({ actor: "ann", detail: "lunch", at: T0 + 7 });
    });

    test("the first approval stays", async () => {
      const ledger = ledgerOf();
      const { job } = await submit(ledger);
      const approved = await ledger.approve(job.id, "ann", T0 + 1);
      expect(approved).toMatchObject({ approvedBy: "ann", approvedAt: T0 + 1, version: 2 });
      expect(await ledger.approve(job.id, "bob", T0 + 2)).toEqual(approved);
      await expect(ledger.approve("nothing", "ann", T0)).rejects.toMatchObject({ code: "not_found" });
    });

    test("a job is amended only in the version it was seen in, together with its audit event", async () => {
      const ledger = ledgerOf();
      const { job } = await submit(ledger, "amended");
      const spec = { ...job.spec, limits: { ...job.spec.limits, concurrency: 7 } };
      const change = { jobId: job.id, spec, actor: "ann", detail: "limits", at: T0 + 3 };
      expect(await ledger.amend({ ...change, ifVersion: job.version + 1 })).toBeNull();
      expect(await ledger.job(job.id)).toEqual(job);
      const amended = await ledger.amend({ ...change, ifVersion: job.version });
      expect(amended).toEqual({ ...job, spec, version: job.version + 1, updatedAt: T0 + 3 });
      expect(await ledger.amend({ ...change, ifVersion: job.version })).toBeNull();
      const { items } = await ledger.audit(job.id, null, 10);
      expect(items.slice(1)).toMatchObject([{ at: T0 + 3, actor: "ann", action: "amend", detail: "limits" }]);
      // The submission repeated is still the same job, not a conflict.
      const again = { spec: job.spec, idempotencyKey: "amended", actor: "ci", at: T0 + 9 };
      expect(await ledger.createJob(again)).toEqual({ job: amended, created: false });
    });

    test("until when windows are ignored is recorded with who said so", async () => {
      const ledger = ledgerOf();
      const { job } = await submit(ledger);
      expect(job.windowsIgnoredUntil).toBeNull();
      const told = await ledger.ignoreWindows(job.id, T0 + 1000, { actor: "ann", at: T0 + 1 });
      expect(told).toMatchObject({ windowsIgnoredUntil: T0 + 1000, version: 2, updatedAt: T0 + 1 });
      const { items } = await ledger.audit(job.id, null, 10);
      expect(items[1]).toMatchObject({ actor: "ann", action: "ignore_windows", at: T0 + 1 });
      const nobody = ledger.ignoreWindows("nothing", T0, { actor: "ann", at: T0 });
      await expect(nobody).rejects.toMatchObject({ code: "not_found" });
    });

    test("the audit trail is paged in order", async () => {
      const ledger = ledgerOf();
      const { job } = await submit(ledger);
      for (const detail of ["a", "b", "c"]) {
        await ledger.addAudit(job.id, { at: T0, actor: "ann", action: "note", detail });
      }
      const first = await ledger.audit(job.id, null, 2);
      const second = await ledger.audit(job.id, first.next, 2);
      expect([...first.items, ...second.items].map((event) => event.detail).slice(1)).toEqual([
        "a",
        "b",
        "c",
      ]);
      expect(second.next).toBeNull();
    });
  });
}
