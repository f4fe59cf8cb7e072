/** A fair queue admits in order within a flow, fairly between flows, and only when all limits allow it at the same moment. */

import { describe, expect, it } from "vitest";
import { RateLimit } from "../../../src/domain/rates/rate-limit.ts";
import { type Charge, FairQueue, Flow } from "../../../src/pacing/rates/fair-queue.ts";
import { VirtualClock } from "../../support/clocks/virtual-clock.ts";

function opened() {
  const clock = new VirtualClock();
  const began = clock.now();
  const fairQueue = new FairQueue(clock);
  const admitted: { readonly name: string; readonly at: number }[] = [];
  /** `count` requests called `name` arrive at once. */
  const arrive = (
    name: string,
    flow: Flow,
    charges: readonly Charge[],
    count: number,
    signal?: AbortSignal,
  ) => {
    for (let i = 0; i < count; i += 1) {
      void fairQueue
        .acquire(flow, charges, signal)
        .then(() => admitted.push({ name, at: clock.now() - began }));
    }
  };
  const run = (seconds: number) => clock.runUntil(began + seconds * 1000);
  const count = (name: string) => admitted.filter((one) => one.name === name).length;
  return { clock, fairQueue, admitted, arrive, run, count };
}

const charge = (limit: RateLimit, units = 1): Charge => ({ limit, units });

describe("a fair queue", () => {
  it("admits everything at once where nothing is limited", async () => {
    const { arrive, run, admitted } = opened();
    arrive("a", new Flow(), [charge(new RateLimit(null))], 1000);
    await run(0);
    expect(admitted).toHaveLength(1000);
  });

  it("keeps the order of a flow, whatever its requests cost", async () => {
    const { arrive, run, admitted } = opened();
    const flow = new Flow();
    const limit = new RateLimit(100);
    for (let i = 0; i < 40; i += 1) arrive(String(i), flow, [charge(limit, 1 + (i % 7))], 1);
    await run(10);
    expect(admitted.map(({ name }) => Number(name))).toEqual(Array.from({ length: 40 }, (_, i) => i));
  });

  it("shares a limit equally between flows, however many requests wait in them", async () => {
    const { arrive, run, count } = opened();
    const shared = new RateLimit(100);
    arrive("crowd", new Flow(), [charge(shared)], 5000);
    arrive("few", new Flow(), [charge(shared)], 1000);
    arrive("bulk", new Flow(), [charge(shared, 10)], 1000);
    await run(12);
    expect(count("few") / count("crowd")).toBeGreaterThan(0.9);
    expect(count("few") / count("crowd")).toBeLessThan(1.1);
    expect((10 * count("bulk")) / count("crowd")).toBeGreaterThan(0.9);
    expect((10 * count("bulk")) / count("crowd")).toBeLessThan(1.1);
  });

  it("does not let a flow catch up on what it did not use", async () => {
    const { arrive, run, count } = opened();
    const shared = new RateLimit(100);
    arrive("early", new Flow(), [charge(shared)], 5000);
    await run(10);
    const before = count("early");
    arrive("late", new Flow(), [charge(shared)], 5000);
    await run(20);
    expect(count("late")).toBeLessThan(550);
    expect(count("early") - before).toBeGreaterThan(450);
  });

  it("uses nothing of one limit up while it waits for another", async () => {
    const { arrive, run, count } = opened();
    const shared = new RateLimit(100);
    const slow = new RateLimit(5);
    arrive("slow", new Flow(), [charge(shared), charge(slow)], 1000);
    arrive("rest", new Flow(), [charge(shared)], 5000);
    await run(10);
    expect(count("slow")).toBeGreaterThanOrEqual(47);
    expect(count("slow")).toBeLessThanOrEqual(53);
    expect(count("slow") + count("rest")).toBeGreaterThanOrEqual(950);
  });

  it("holds a job's limit in any second though the store's limit frees up all at once", async () => {
    const { clock, arrive, run, admitted } = opened();
    const shared = new RateLimit(1);
    arrive("a", new Flow(), [charge(shared), charge(new RateLimit(50))], 1000);
    await run(10);
    shared.setRate(10_000, clock.now());
    await run(20);
    const later = admitted.filter(({ at }) => at >= 10_000).map(({ at }) => at);
    const most = Math.max(
      ...later.map((from) => later.filter((at) => at >= from && at < from + 1000).length),
    );
    expect(most).toBeLessThanOrEqual(52.5);
    expect(later.length).toBeGreaterThanOrEqual(475);
  });

  it("is not blocked by a slow limit that other flows do not have", async () => {
    const { arrive, run, admitted } = opened();
    arrive("slow", new Flow(), [charge(new RateLimit(0.01))], 5);
    await run(1);
    arrive("quick", new Flow(), [charge(new RateLimit(1000))], 1000);
    await run(2.2);
    expect(admitted.filter(({ name }) => name === "quick")).toHaveLength(1000);
  });

  it.each([
    [0.01, 1000],
    [null, 5],
    [1000, 5],
  ])("follows a limit changed from %s to %s, also for requests that wait already", async (before, after) => {
    const { clock, arrive, run, admitted } = opened();
    const limit = new RateLimit(before);
    arrive("a", new Flow(), [charge(limit)], before === null ? 0 : 20_000);
    await run(3);
    limit.setRate(after, clock.now());
    arrive("b", new Flow(), [charge(limit)], 20_000);
    await run(15);
    const perSecond = admitted.filter(({ at }) => at >= 5000).length / 10;
    expect(perSecond).toBeGreaterThanOrEqual(after * 0.95);
    expect(perSecond).toBeLessThanOrEqual(after * 1.05);
  });

  it("dismisses requests whose signal aborts, with nothing taken, and no others", async () => {
    const { arrive, run, admitted, count } = opened();
    const limit = new RateLimit(10);
    const stop = new AbortController();
    const flow = new Flow();
    arrive("stays", flow, [charge(limit)], 20);
    arrive("leaves", flow, [charge(limit)], 100, stop.signal);
    arrive("stays", flow, [charge(limit)], 20);
    await run(1);
    stop.abort();
    await run(1.01);
    expect(count("leaves")).toBe(100);
    await run(5);
    expect(count("stays")).toBe(40);
    // The first second has 80 % of the limit.
    expect(admitted.filter(({ at }) => at < 1000)).toHaveLength(8);
  });

  it("needs one timer, however many wait", async () => {
    const clock = new VirtualClock();
    let timers = 0;
    const sleep = clock.sleep.bind(clock);
    clock.sleep = (ms, signal) => {
      timers += 1;
      return sleep(ms, signal);
    };
    const fairQueue = new FairQueue(clock);
    const limit = new RateLimit(1000);
    const flow = new Flow();
    for (let i = 0; i < 3000; i += 1) void fairQueue.acquire(flow, [charge(limit)]);
    expect(timers).toBe(1);
    await clock.runUntil(clock.now() + 3000);
    expect(timers).toBeLessThan(2000);
  });
});
