/** The throttler: nothing begins while an observation gives a hold, waits have its reason and end with it. */

import { describe, expect, it } from "vitest";
import type { Hold } from "../../../src/pacing/gate.ts";
import { Throttler } from "../../../src/pacing/throttler.ts";
import { VirtualClock } from "../../support/clocks/virtual-clock.ts";

const never = new AbortController().signal;
const closedUntil = (until: number): Hold => ({ reason: "window", until, detail: "opens at 22:00" });

describe("Throttler", () => {
  it("is open, without a promise, while no observation gives a hold", () => {
    const throttler = new Throttler(new VirtualClock(1_000_000, "free"), [() => null, () => null]);
    expect(throttler.whenOpen(never)).toBeNull();
    expect(throttler.waiting).toBeNull();
  });

  it("is closed until the very millisecond at which the last hold ends, and says why meanwhile", async () => {
    const clock = new VirtualClock(1_000_000, "free");
    const opensAt = clock.at + 10_001;
    const from = clock.at;
    const throttler = new Throttler(clock, [(at) => (at < opensAt ? closedUntil(opensAt) : null)]);
    const passed = throttler.whenOpen(never);
    expect(throttler.waiting).toEqual({ ...closedUntil(opensAt), since: from });
    await passed;
    expect(clock.at).toBe(opensAt);
    expect(throttler.waiting).toBeNull();
  });

  it("wakes all waits with one timer", async () => {
    const clock = new VirtualClock(1_000_000, "free");
    const opensAt = clock.at + 1000;
    const throttler = new Throttler(clock, [(at) => (at < opensAt ? closedUntil(opensAt) : null)]);
    await Promise.all(Array.from({ length: 100 }, () => throttler.whenOpen(never)));
    expect(clock.sleeps.length).toBeLessThan(10);
  });

  it("tells the first hold, and since when its reason lasts", async () => {
    const clock = new VirtualClock(1_000_000, "free");
    const start = clock.at;
    const busy: Hold = { reason: "database", until: null, detail: "busy" };
    const throttler = new Throttler(clock, [
      (at) => (at < start + 1000 ? closedUntil(start + 1000) : null),
      (at) => (at < start + 2000 ? busy : null),
    ]);
    const seen: unknown[] = [];
    const passed = throttler.whenOpen(never);
    const sleep = clock.sleep.bind(clock);
    clock.sleep = async (ms) => {
      seen.push([throttler.waiting?.reason, throttler.waiting?.since]);
      await sleep(ms);
    };
    await passed;
    expect(seen).toContainEqual(["database", start + 1000]);
    expect(clock.at).toBeGreaterThanOrEqual(start + 2000);
  });

  it("throws when the signal of a wait aborts", async () => {
    const stop = new AbortController();
    const clock = new VirtualClock(1_000_000, "free");
    const throttler = new Throttler(clock, [() => closedUntil(Number.MAX_SAFE_INTEGER)]);
    const passed = throttler.whenOpen(stop.signal);
    stop.abort();
    await expect(passed).rejects.toMatchObject({ code: "stopped" });
    expect(throttler.waiting).toBeNull();
  });
});
