/** What counts as work of a governed store: requests in flight and waits for a limit, not waits for a closed throttler. */

import { describe, expect, it } from "vitest";
import { DomainError } from "../../../src/domain/errors.ts";
import { RateLimit } from "../../../src/domain/rates/rate-limit.ts";
import { GovernedObjectStore } from "../../../src/pacing/governed-object-store.ts";
import { InFlight } from "../../../src/pacing/in-flight.ts";
import { BucketGovernor } from "../../../src/pacing/rates/bucket-governor.ts";
import { FairQueue } from "../../../src/pacing/rates/fair-queue.ts";
import { JobStallDetectors } from "../../../src/pacing/stall-detector.ts";
import { Throttler } from "../../../src/pacing/throttler.ts";
import type { CopyRequest, ObjectStore, WriteLimiter } from "../../../src/ports/object-store.ts";
import { VirtualClock } from "../../support/clocks/virtual-clock.ts";

const REQUEST: CopyRequest = {
  source: { bucket: "a", key: "k", etag: "x", size: 10 },
  target: { bucket: "b", key: "k" },
  storageClass: null,
  onlyIfAbsent: false,
};
const { signal } = new AbortController();
const LIST = { bucket: "b", prefix: "", startAfter: null, limit: 1 };

/** A governed store of which `copy` does what `work` does with its `limiter`; its throttler is closed while `gate.isShut`. */
function governed(
  work: (limiter: WriteLimiter, clock: VirtualClock) => Promise<unknown>,
  perSecond: number | null = null,
  confirmCopy: () => null = () => null,
) {
  const clock = new VirtualClock();
  const gate = { isShut: false };
  const throttler = new Throttler(clock, [
    () => (gate.isShut ? { reason: "window", until: null, detail: "shut" } : null),
  ]);
  const inFlight = new InFlight(() => clock.now());
  const store: Partial<ObjectStore> = {
    list: async () => ({ objects: [], more: false }) as never,
    copy: async (_request, _signal, limiter) => {
      await work(limiter as WriteLimiter, clock);
      return { kind: "copied", etag: "x" };
    },
  };
  const governor = new BucketGovernor();
  const parts = new GovernedObjectStore({
    ...{ store: store as ObjectStore, clock, throttler, inFlight, fairQueue: new FairQueue(clock) },
    ...{ requestLimits: [new RateLimit(perSecond)], byteLimits: [], governorOf: () => governor },
    ...{ stalls: new JobStallDetectors().stores, confirmCopy },
  });
  const pause = (ms: number) => clock.runUntil(clock.now() + ms);
  return { parts, gate, throttler, inFlight, pause };
}

describe("a copy in parts", () => {
  it("is in flight while it sends, and not while all of its parts wait for a closed throttler", async () => {
    const part = (ms: number, clock: VirtualClock) => () => clock.sleep(ms);
    const { parts, gate, throttler, inFlight, pause } = governed(async (limiter, clock) => {
      await limiter(1, part(1000, clock), signal);
      // A short one and a long one at once, then two that find the throttler closed.
      await Promise.all(
        [500, 1000].map((ms) =>
          limiter(1, part(ms, clock), signal).then(() => limiter(1, part(100, clock), signal)),
        ),
      );
      await clock.sleep(1000);
    });
    let isDone = false;
    void parts.copy(REQUEST, signal).then(() => {
      isDone = true;
    });
    await pause(900);
    expect(inFlight.count).toBe(1);
    await pause(300);
    expect(inFlight.count).toBe(2);
    gate.isShut = true;
    await pause(500);
    expect([inFlight.count, throttler.waiting?.reason]).toEqual([1, "window"]);
    await pause(1000);
    expect([inFlight.count, throttler.waiting?.reason]).toEqual([0, "window"]);
    expect(inFlight.isStill(400)).toBe(true);
    gate.isShut = false;
    await pause(600);
    // All parts are copied; the completion is in flight.
    expect([inFlight.count, isDone]).toEqual([1, false]);
    await pause(1000);
    expect([inFlight.count, isDone]).toEqual([0, true]);
  });
});

describe("a copy that fails", () => {
  const refused = () => {
    throw new DomainError("store_refused", "no");
  };

  it.each([
    ["at the store", governed(async () => refused())],
    ["as it is forbidden before it begins", governed(async () => {}, null, refused)],
  ])("%s is no longer under way", async (_, { parts, inFlight }) => {
    await expect(parts.copy(REQUEST, signal)).rejects.toMatchObject({ code: "store_refused" });
    expect(inFlight.count).toBe(0);
  });
});

describe("a request that waits for a limit", () => {
  it("is work while the throttler is open, and none while it is closed", async () => {
    const { parts, gate, throttler, inFlight, pause } = governed(async () => {}, 0.2);
    const all = Promise.all([1, 2, 3].map(() => parts.list(LIST, signal)));
    await pause(7_000);
    expect([inFlight.isStill(400), throttler.isRateLimited(400)]).toEqual([true, true]);
    gate.isShut = true;
    expect(throttler.isRateLimited(400)).toBe(false);
    gate.isShut = false;
    await pause(20_000);
    await all;
    expect(throttler.isRateLimited(400)).toBe(false);
  });
});
