/** What happens when a job's windows shut and open while it works, seen at the store and in the tables. */

import { describe, expect, it } from "vitest";
import type { JobView } from "../../../src/jobs/view/job-view.ts";
import { type Arrival, noteArrivals } from "../../support/arrivals.ts";
import { copiesMade, moved, until, untilState, workWith } from "../../support/bystander.ts";
import { bench, benchForEach, clock } from "../../support/worlds/bench-for-each.ts";
import { fillStore, imageKeys } from "../../support/worlds/workbench.ts";

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/** What the event loop of a busy machine may lie between a request's beginning and its arrival. */
const ON_THE_WAY_MS = 150;
const WITHIN_MS = 2_000;

let arrivals: Arrival[];

benchForEach();

/** Sets the clock to `time` of a day in January 2030 and fills the workbench; its store answers after 20 ms and notes what arrives. */
function openAt(time: string, objects: number): void {
  setClock(`2030-01-08T${time}Z`);
  fillStore(bench.store, "bucket-a", imageKeys(objects));
  bench.addRows(imageKeys(objects));
  bench.store.faults.latencyMs = 20;
  arrivals = noteArrivals(bench.store, () => clock.now());
}

const setClock = (iso: string) => clock.advance(Date.parse(iso) - clock.now());
const setTime = (time: string) => setClock(`${new Date(clock.now()).toISOString().slice(0, 11)}${time}Z`);
const nightly = (more: object = {}, limits?: object) => ({
  timezone: "UTC",
  open: [{ days: DAYS, from: "22:00", to: "06:00", ...(limits === undefined ? {} : { limits }) }],
  ...more,
});
const arrivedIn = (from: number, to = Number.POSITIVE_INFINITY) =>
  arrivals.filter(({ at }) => at >= from && at < to);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until job `id` is shown to wait for its windows, and gives what is shown. */
async function untilShut(id: string): Promise<JobView> {
  await untilState(bench, id, "waiting");
  const job = await bench.jobs.get(id);
  expect(job.waiting?.reason).toBe("window");
  return job;
}

describe("a window that shuts while every stage is at work", () => {
  it("lets nothing begin after its edge, says until when, and goes on at the opening", async () => {
    openAt("05:59:00", 400);
    const id = await bench.submit({ batchSize: 5, limits: { concurrency: 8 }, windows: nightly() });
    const run = bench.work(id);
    // All kinds of requests are in the mix before the edge comes.
    await until(() => arrivals.some(({ operation }) => operation === "DeleteObjects"));
    setTime("05:59:59.700");
    const edge = Date.parse("2030-01-08T06:00:00Z");
    const before = arrivals.length;
    await until(() => clock.now() > edge + ON_THE_WAY_MS);
    expect(arrivedIn(edge - 300, edge).length).toBeGreaterThan(0);
    const { statements } = await bench.jobs.get(id);
    const rows = bench.paths();
    const job = await untilShut(id);
    expect(clock.now() - edge).toBeLessThan(WITHIN_MS);
    expect(job.waiting?.until).toBe("2030-01-08T22:00:00.000Z");
    await pause(600);
    expect(arrivedIn(edge + ON_THE_WAY_MS)).toEqual([]);
    expect((await bench.jobs.get(id)).statements).toEqual(statements);
    expect(bench.paths()).toEqual(rows);
    expect(arrivals.length).toBeGreaterThan(before);
    expect(bench.store.listKeys("bucket-a").length).toBeGreaterThan(0);

    const opening = Date.parse("2030-01-08T22:00:00Z");
    setTime("21:59:59.500");
    await until(() => arrivedIn(opening - 10_000).length > 0);
    expect(arrivedIn(opening - 10_000)[0]?.at).toBeGreaterThanOrEqual(opening);
    expect(arrivedIn(opening)[0]?.at).toBeLessThan(opening + WITHIN_MS);
    expect(await run).toMatchObject({ state: "completed", objects: { moved: 400, exceptions: 0 } });
    expect(bench.paths()).toEqual(imageKeys(400).map(moved));
  });

  it("lets what is under way end, and notices a clock that jumps over the edge", async () => {
    openAt("23:00:00", 30);
    const hold = bench.store.faults.hold({ operation: "CopyObject" });
    const id = await bench.submit({ batchSize: 10, limits: { concurrency: 4 }, windows: nightly() });
    const run = bench.work(id);
    await hold.arrival(4);
    // The machine slept for nine hours.
    clock.advance(9 * 3_600_000);
    const woken = clock.now();
    await pause(300);
    expect(await bench.jobs.get(id)).toMatchObject({ state: "running" });
    hold.release();
    const job = await untilShut(id);
    expect(clock.now() - woken).toBeLessThan(WITHIN_MS);
    expect(job.objects.copied).toBe(4);
    expect(bench.store.listKeys("bucket-b")).toHaveLength(4);
    expect(arrivedIn(woken)).toEqual([]);
    clock.advance(14 * 3_600_000);
    expect(await run).toMatchObject({ state: "completed", objects: { moved: 30, exceptions: 0 } });
    expect(copiesMade(bench)).toBe(30);
  });

  it("lets no deletion begin that was only waiting for an answer of the ledger", async () => {
    openAt("05:59:50", 10);
    const id = await bench.submit({ windows: nightly(), delete: { when: "approved", after: "0s" } });
    await bench.jobs.act(id, "approve", "ann");
    let answer: (() => void) | null = null;
    const lists = (bucket: string) => bench.store.requests.count("ListObjectsV2", bucket);
    // The last question before a deletion is whether it is approved: once target and source were looked at again.
    const isLast = () => lists("bucket-b") >= 2 && arrivals.at(-1)?.bucket === "bucket-a";
    const ledger = new Proxy(bench.ledger, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== "function") return member;
        const method = member.bind(target) as (...args: readonly unknown[]) => Promise<unknown>;
        if (name !== "job") return method;
        return async (...args: readonly unknown[]) => {
          const job = await method(...args);
          if (answer !== null || !isLast()) return job;
          await new Promise<void>((resolve) => {
            answer = resolve;
          });
          return job;
        };
      },
    });
    const run = workWith(bench, { ledger }, id);
    await until(() => answer !== null);
    // Less than evidence keeps: it is the window that forbids.
    setTime("06:00:00.100");
    (answer as (() => void) | null)?.();
    await untilShut(id);
    await pause(300);
    expect(bench.store.requests.count("DeleteObjects")).toBe(0);
    setTime("22:00:00");
    await run;
    expect(await bench.jobs.get(id)).toMatchObject({ state: "completed", objects: { moved: 10 } });
  });
});

describe("a job that is submitted out of hours", () => {
  it("asks its buckets and tables for nothing until its windows open", async () => {
    openAt("12:00:00", 20);
    const id = await bench.submit({ windows: nightly() });
    const submitted = arrivals.length;
    const run = bench.work(id);
    const begun = clock.now();
    const job = await untilShut(id);
    expect(clock.now() - begun).toBeLessThan(WITHIN_MS);
    expect(job.waiting?.until).toBe("2030-01-08T22:00:00.000Z");
    await pause(500);
    expect(arrivals.length).toBe(submitted);
    expect((await bench.jobs.get(id)).statements).toEqual({});
    setTime("22:00:00");
    expect(await run).toMatchObject({ state: "completed", objects: { moved: 20 } });
  });

  it("reads its manifest only when they open", async () => {
    openAt("12:00:00", 5);
    const manifest = imageKeys(5)
      .map((key) => `bucket-a,${key}`)
      .join("\n");
    bench.store.putObject("bucket-b", "lists/manifest.csv", manifest);
    const inventory = { from: "manifest", bucket: "bucket-b", key: "lists/manifest.csv" };
    const id = await bench.submit({ windows: nightly(), inventory });
    const submitted = arrivals.length;
    const run = bench.work(id);
    await untilShut(id);
    await pause(300);
    expect(arrivals.length).toBe(submitted);
    setTime("22:00:00");
    expect(await run).toMatchObject({ state: "completed", objects: { moved: 5 } });
  });

  it("works when an operator says so, who is recorded, until its windows have opened and shut again", async () => {
    openAt("12:00:00", 120);
    const id = await bench.submit({ batchSize: 10, limits: { concurrency: 1 }, windows: nightly() });
    const run = bench.work(id);
    await untilShut(id);
    const resumed = clock.now();
    await bench.jobs.act(id, "resume", "ann", { ignoreWindow: true });
    await bench.jobs.act(id, "resume", "bob", { ignoreWindow: true });
    await until(() => bench.store.listKeys("bucket-b").length > 0);
    expect(clock.now() - resumed).toBeLessThan(WITHIN_MS);
    await until(async () => (await bench.jobs.get(id)).state === "running", WITHIN_MS);
    const { items } = await bench.jobs.audit(id, { cursor: null, limit: 100 });
    const said = items.filter(({ action }) => action === "ignore_windows");
    expect(said).toEqual([
      expect.objectContaining({ actor: "ann", detail: "until 2030-01-08T22:00:00.000Z" }),
    ]);
    expect(said[0]?.at).toBeGreaterThanOrEqual(resumed);
    setTime("23:00:00");
    const night = bench.store.listKeys("bucket-b").length;
    await until(() => bench.store.listKeys("bucket-b").length > night);
    setClock("2030-01-09T06:00:00Z");
    const job = await untilShut(id);
    expect(job.waiting?.until).toBe("2030-01-09T22:00:00.000Z");
    expect(bench.store.listKeys("bucket-b").length).toBeLessThan(120);
    setClock("2030-01-09T22:00:00Z");
    expect(await run).toMatchObject({ state: "completed", objects: { moved: 120 } });
  });
});

describe("windows that bind deleting only", () => {
  it("let copies and updates go on outside, and deletions when they open", async () => {
    openAt("12:00:00", 30);
    const windows = nightly({ stages: ["delete"] });
    const id = await bench.submit({ batchSize: 10, windows });
    const run = bench.work(id);
    await until(async () => (await bench.jobs.get(id)).objects.updated === 30);
    expect(bench.paths()).toEqual(imageKeys(30).map(moved));
    expect((await untilShut(id)).waiting?.until).toBe("2030-01-08T22:00:00.000Z");
    expect(bench.store.requests.count("DeleteObjects")).toBe(0);
    expect(bench.store.listKeys("bucket-a")).toHaveLength(30);
    setTime("22:00:00");
    expect(await run).toMatchObject({ state: "completed", objects: { moved: 30 } });
    expect(bench.store.listKeys("bucket-a")).toEqual([]);
  });
});

describe("a window's own limits", () => {
  it("are in force while it is open, for a batch that is under way too", async () => {
    openAt("21:00:00", 300);
    const windows = nightly({ stages: ["delete"] }, { concurrency: 12 });
    const id = await bench.submit({ limits: { concurrency: 2 }, windows, delete: { when: "never" } });
    const hold = bench.store.faults.hold({ operation: "CopyObject" });
    const run = bench.work(id);
    await hold.arrival(2);
    // Nothing else may have made it look: every version of the job has been seen by the next heartbeat.
    await pause(1_500);
    expect(hold.arrivals).toBe(2);
    setTime("22:00:00");
    const opened = clock.now();
    await hold.arrival(12);
    expect(clock.now() - opened).toBeLessThan(WITHIN_MS);
    await pause(200);
    expect(hold.arrivals).toBe(12);
    hold.release();
    expect(await run).toMatchObject({ state: "completed", objects: { moved: 300 } });
  });
});
