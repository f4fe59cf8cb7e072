/** What a job as a whole waits for: nothing while a worker is active, unless its stores reject all requests. */

import { describe, expect, it } from "vitest";
import { WaitTracker } from "../../../src/conveyor/wait-tracker.ts";
import { DomainError } from "../../../src/domain/errors.ts";
import { VirtualClock } from "../../support/clocks/virtual-clock.ts";

const REJECTED = new DomainError("store_throttled", "SlowDown");

function opened() {
  const clock = new VirtualClock();
  return { clock, began: clock.now(), waits: new WaitTracker(clock) };
}

describe("a job whose workers all work", () => {
  it("waits for nothing while its stores serve it", async () => {
    const { clock, began, waits } = opened();
    void waits.runActive(() => clock.sleep(60_000));
    waits.stalls.stores.failed(REJECTED, began);
    waits.stalls.stores.answered(clock.now());
    await clock.runUntil(began + 30_000);
    expect(waits.waiting).toBeNull();
  });

  it("waits because it is throttled when all is rejected for two seconds, since the first rejection", async () => {
    const { clock, began, waits } = opened();
    void waits.runActive(() => clock.sleep(60_000));
    await clock.runUntil(began + 1000);
    waits.stalls.stores.failed(REJECTED, clock.now());
    await clock.runUntil(began + 2900);
    expect(waits.waiting).toBeNull();
    waits.stalls.stores.failed(REJECTED, clock.now());
    await clock.runUntil(began + 3000);
    expect(waits.waiting).toMatchObject({ reason: "throttled", since: began + 1000, until: null });
    waits.stalls.stores.answered(clock.now());
    expect(waits.waiting).toBeNull();
  });
});

describe("a job of whose workers one is held", () => {
  it("waits for what holds it while another only waits for a place", async () => {
    const { clock, began, waits } = opened();
    const until = began + 10_000;
    const stop = new AbortController();
    const ask = async () =>
      clock.now() < until ? { reason: "window" as const, until, detail: "shut" } : null;
    void waits.runActive(() => waits.waitWhileHeld(ask, stop.signal));
    void waits.runActive(async () => {
      await waits.runIdle(() => clock.sleep(5000));
      await clock.sleep(1000);
    });
    await clock.runUntil(began + 4000);
    expect(waits.waiting).toMatchObject({ reason: "window" });
    await clock.runUntil(began + 5500);
    expect(waits.waiting).toBeNull();
    await clock.runUntil(began + 7000);
    expect(waits.waiting).toMatchObject({ reason: "window" });
  });

  it("waits for its hold only when no other worker is active", async () => {
    const { clock, began, waits } = opened();
    const until = began + 10_000;
    const stop = new AbortController();
    const ask = async () =>
      clock.now() < until ? { reason: "database" as const, until, detail: "away" } : null;
    void waits.runActive(() => waits.waitWhileHeld(ask, stop.signal));
    void waits.runActive(() => clock.sleep(5000));
    await clock.runUntil(began + 4000);
    expect(waits.waiting).toBeNull();
    await clock.runUntil(began + 6000);
    expect(waits.waiting).toMatchObject({ reason: "database", since: began, until });
    await clock.runUntil(began + 11_000);
    expect(waits.waiting).toBeNull();
  });
});
