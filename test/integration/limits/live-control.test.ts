/** Changing a job while it runs: what is new is in effect within two seconds, wherever it runs, and is on record. */

import { beforeEach, describe, expect, it } from "vitest";
import { type Arrival, noteArrivals } from "../../support/arrivals.ts";
import { moved, until, untilState } from "../../support/bystander.ts";
import { bench, benchForEach, clock } from "../../support/worlds/bench-for-each.ts";
import { imageKeys } from "../../support/worlds/workbench.ts";

const WITHIN_MS = 2_000;
const COUNT = 1_000;
const FEW = 150;

let arrivals: Arrival[];

benchForEach({ objects: imageKeys(COUNT), rows: imageKeys(COUNT) });
beforeEach(() => {
  clock.advance(Date.parse("2030-01-08T12:00:00Z") - clock.now());
  bench.store.faults.latencyMs = 20;
  arrivals = noteArrivals(bench.store, () => clock.now());
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const amend = (id: string, patch: object) => bench.jobs.amend(id, patch, { ifVersions: null, actor: "ann" });
/** Requests a second from `from` on, for `ms`. */
const rateFrom = (from: number, ms: number) =>
  (arrivals.filter(({ at }) => at >= from && at < from + ms).length * 1000) / ms;
const SHUT = { timezone: "UTC", open: [{ from: "22:00", to: "06:00" }] };
const OPEN = { timezone: "UTC", open: [{ from: "11:00", to: "23:00" }] };

/** Runs job `id` here, or where the use cases cannot tell its runner anything: only the ledger joins them. */
const RUNNERS = [
  ["in this process", (id: string) => bench.scheduler.runNow(id)],
  ["of another process", (id: string) => bench.otherScheduler("other").runNow(id)],
] as const;

async function cancelled(id: string, run: Promise<unknown>): Promise<void> {
  await bench.jobs.act(id, "cancel", "ann");
  await run;
  expect((await bench.jobs.get(id)).state).toBe("cancelled");
}

describe.each(RUNNERS)("a job %s", (_, work) => {
  it("takes over more and fewer places, also for the batch that it is copying", async () => {
    const id = await bench.submit({ limits: { concurrency: 1 }, delete: { when: "never" } });
    const hold = bench.store.faults.hold({ operation: "CopyObject" });
    const run = work(id);
    await hold.arrival();
    await pause(200);
    expect(hold.arrivals).toBe(1);
    const patched = clock.now();
    await amend(id, { limits: { concurrency: 16 } });
    await hold.arrival(16);
    expect(clock.now() - patched).toBeLessThan(WITHIN_MS);
    await pause(200);
    expect(hold.arrivals).toBe(16);
    await amend(id, { limits: { concurrency: 2 } });
    await pause(WITHIN_MS);
    hold.release();
    const again = bench.store.faults.hold({ operation: "CopyObject" });
    await again.arrival(2);
    await pause(300);
    expect(again.arrivals).toBe(2);
    const cancelling = cancelled(id, run);
    await pause(100);
    again.release();
    await cancelling;
  });

  it("takes over a higher and a lower rate of requests", async () => {
    const limits = { concurrency: 32, requestsPerSecond: 20 };
    const id = await bench.submit({ batchSize: 50, limits, delete: { when: "never" } });
    const run = work(id);
    await until(() => bench.store.requests.count("CopyObject") > 0);
    const begun = clock.now();
    await pause(1_000);
    expect(rateFrom(begun, 1_000)).toBeLessThanOrEqual(21);
    const raised = clock.now();
    await amend(id, { limits: { requestsPerSecond: 200 } });
    await pause(WITHIN_MS + 1_000);
    expect(rateFrom(raised + WITHIN_MS, 1_000)).toBeGreaterThan(160);
    expect(rateFrom(raised + WITHIN_MS, 1_000)).toBeLessThanOrEqual(210);
    const lowered = clock.now();
    await amend(id, { limits: { requestsPerSecond: 20 } });
    await pause(WITHIN_MS + 1_000);
    expect(rateFrom(lowered + WITHIN_MS, 1_000)).toBeLessThanOrEqual(21);
    expect(rateFrom(lowered + WITHIN_MS, 1_000)).toBeGreaterThan(15);
    await cancelled(id, run);
  });

  it("takes over windows that shut now, and windows that are open now", async () => {
    const id = await bench.submit({
      batchSize: 10,
      maxObjects: FEW,
      limits: { concurrency: 2 },
      windows: OPEN,
    });
    const run = work(id);
    await until(() => bench.store.requests.count("CopyObject") > 5);
    const shut = clock.now();
    await amend(id, { windows: SHUT });
    await untilState(bench, id, "waiting");
    expect(clock.now() - shut).toBeLessThan(WITHIN_MS);
    expect((await bench.jobs.get(id)).waiting).toMatchObject({
      reason: "window",
      until: "2030-01-08T22:00:00.000Z",
    });
    await pause(100);
    const before = arrivals.length;
    await pause(500);
    expect(arrivals.length).toBe(before);
    const opened = clock.now();
    await amend(id, { windows: null, limits: { concurrency: 64 } });
    await until(() => arrivals.length > before);
    expect(clock.now() - opened).toBeLessThan(WITHIN_MS);
    await run;
    expect(await bench.jobs.get(id)).toMatchObject({ state: "completed", objects: { moved: FEW } });
    expect(bench.paths().slice(0, FEW)).toEqual(imageKeys(FEW).map(moved));
  });
});

describe("a change on record", () => {
  it("says who, when, and what was before and after; whoever read an older version is refused", async () => {
    const id = await bench.submit({ limits: { requestsPerSecond: 20 } });
    const { version } = await bench.jobs.get(id);
    const by = (ifVersions: readonly number[] | null) => ({ ifVersions, actor: "ann" });
    const at = clock.now();
    await bench.jobs.amend(id, { limits: { requestsPerSecond: 200 }, windows: SHUT }, by([version]));
    await expect(
      bench.jobs.amend(id, { limits: { requestsPerSecond: 5 } }, by([version])),
    ).rejects.toMatchObject({ code: "precondition_failed" });
    await bench.jobs.amend(id, { guards: { maxExceptionRatio: 0.5 } }, by([version + 1]));
    expect((await bench.jobs.get(id)).spec).toMatchObject({
      limits: { requestsPerSecond: 200 },
      windows: { timezone: "UTC" },
      guards: { maxExceptionRatio: 0.5 },
    });
    const { items } = await bench.jobs.audit(id, { cursor: null, limit: 100 });
    const amended = items.filter(({ action }) => action === "amend");
    expect(amended.map(({ actor }) => actor)).toEqual(["ann", "ann"]);
    for (const event of amended) expect(event.at).toBeGreaterThanOrEqual(at);
    const details = amended.map(({ detail }) => detail).join("\n");
    expect(details).toMatch(/limits: .*"requestsPerSecond":20[,}].* to .*"requestsPerSecond":200[,}]/);
    expect(details).toMatch(/windows: null to .*"from":"22:00"/);
    expect(details).toMatch(/guards: .*"maxExceptionRatio":null.* to .*"maxExceptionRatio":0.5/);
  });
});

describe("a guard that is changed while a job runs", () => {
  it("counts from the next look on: one that is added stops the job, with its codes in the reason", async () => {
    bench.store.faults.add({ operation: "CopyObject", every: 2, effect: { type: "access-denied" } });
    const limits = { concurrency: 8, requestsPerSecond: 150 };
    const id = await bench.submit({ batchSize: 20, limits, delete: { when: "never" } });
    const run = bench.work(id);
    await until(async () => (await bench.jobs.get(id)).objects.exceptions > 60);
    const patched = clock.now();
    await amend(id, { guards: { maxExceptionRatio: 0.2 } });
    const job = await run;
    expect(clock.now() - patched).toBeLessThan(WITHIN_MS + 1_000);
    expect(job).toMatchObject({ state: "paused", reason: expect.stringMatching(/maxExceptionRatio/) });
    expect(job.reason).toMatch(/access_denied/);
  });
});

describe("pausing", () => {
  it("lets no request begin a second after, and is over when the last one has ended; cancelling says what remains", async () => {
    const id = await bench.submit({ batchSize: 20, limits: { concurrency: 16, requestsPerSecond: 100 } });
    const run = bench.otherScheduler("other").runNow(id);
    await until(() => bench.store.requests.count("CopyObject") > 20);
    const hold = bench.store.faults.hold({ operation: "CopyObject" });
    await hold.arrival();
    const paused = clock.now();
    expect((await bench.jobs.act(id, "pause", "ann")).state).toBe("pausing");
    await pause(1_600);
    expect(arrivals.filter(({ at }) => at > paused + 1_050)).toEqual([]);
    expect((await bench.jobs.get(id)).state).toBe("pausing");
    hold.release();
    await run;
    const job = await bench.jobs.get(id);
    expect(job.state).toBe("paused");
    const end = await bench.jobs.act(id, "cancel", "ann");
    expect(end.state).toBe("cancelled");
    const { planned, moved: done, skipped, exceptions } = end.objects;
    expect(planned - done - skipped - exceptions).toBeGreaterThan(0);
    expect(bench.store.listKeys("bucket-a")).toHaveLength(COUNT - done);
  });
});
