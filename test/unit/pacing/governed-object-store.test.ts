/** A governed store on a simulated clock: throttling is repeated without end, other failures for a time, a stop ends both. */

import { describe, expect, it } from "vitest";
import { DomainError, type ErrorCode } from "../../../src/domain/errors.ts";
import { RateLimit } from "../../../src/domain/rates/rate-limit.ts";
import type { Hold } from "../../../src/pacing/gate.ts";
import { GovernedObjectStore } from "../../../src/pacing/governed-object-store.ts";
import { BucketGovernor } from "../../../src/pacing/rates/bucket-governor.ts";
import { FairQueue } from "../../../src/pacing/rates/fair-queue.ts";
import { JobStallDetectors } from "../../../src/pacing/stall-detector.ts";
import { Throttler } from "../../../src/pacing/throttler.ts";
import type { ObjectStore, WriteLimiter } from "../../../src/ports/object-store.ts";
import { VirtualClock } from "../../support/clocks/virtual-clock.ts";

const PAGE = { objects: [], more: false };
const LIST = { bucket: "b", prefix: "", startAfter: null, limit: 1 };

/** A store whose `nth` call fails with what `failure` gives for it. */
function failing(
  failure: (nth: number) => ErrorCode | null,
  rates: { requests?: number; bytes?: number } = {},
) {
  const clock = new VirtualClock(1_000_000, "free");
  const began = clock.at;
  const calls: number[] = [];
  const call = async <Result>(result: Result): Promise<Result> => {
    calls.push(clock.at - began);
    const code = failure(calls.length);
    if (code !== null) throw new DomainError(code, code);
    return result;
  };
  const store = {
    endpoint: "e",
    list: () => call(PAGE),
    copy: () => call({ kind: "copied", etag: "x" }),
    deleteObjects: () => call([]),
    bucketFacts: () => call({}),
  } as unknown as ObjectStore;
  return { ...governedOver(store, clock, rates), clock, calls };
}

function governedOver(
  store: ObjectStore,
  clock: VirtualClock,
  rates: { requests?: number; bytes?: number } = {},
) {
  const governor = new BucketGovernor();
  const stalls = new JobStallDetectors().stores;
  const governed = new GovernedObjectStore({
    store,
    clock,
    fairQueue: new FairQueue(clock),
    requestLimits: [new RateLimit(rates.requests ?? null)],
    byteLimits: [new RateLimit(rates.bytes ?? null)],
    governorOf: () => governor,
    stalls,
    random: () => 1,
  });
  return { governed, governor, stalls };
}

/** A store that copies in five parts, of which the `nth` attempt fails with what `failure` gives for it. */
function copyingInParts(failure: (nth: number) => ErrorCode | null) {
  const parts: number[] = [];
  const store = {
    async copy(_request: unknown, _signal: unknown, limiter: WriteLimiter) {
      for (let part = 1; part <= 5; part += 1) {
        await limiter(1, async () => {
          parts.push(part);
          const code = failure(parts.length);
          if (code !== null) throw new DomainError(code, code);
        });
      }
      return { kind: "copied", etag: "x" };
    },
  } as unknown as ObjectStore;
  return { ...governedOver(store, new VirtualClock(1_000_000, "free")), parts };
}

const copyOf = (size: number) => ({
  source: { bucket: "a", key: "k", etag: "e", size },
  target: { bucket: "b", key: "k" },
  storageClass: null,
  onlyIfAbsent: true,
});

describe("throttling", () => {
  it("is repeated for hours and never thrown", async () => {
    const { governed, clock, calls } = failing((nth) => (nth <= 2000 ? "store_throttled" : null));
    const began = clock.at;
    expect(await governed.list(LIST)).toEqual(PAGE);
    expect(calls).toHaveLength(2001);
    expect(clock.at - began).toBeGreaterThan(3 * 3_600_000);
  });

  it("of a write lowers the rate of the bucket, that of a read does not", async () => {
    const { governed, governor } = failing((nth) => (nth === 1 || nth === 50 ? "store_throttled" : null));
    await governed.list(LIST);
    for (let i = 0; i < 47; i += 1) await governed.copy(copyOf(1));
    expect(governor.perSecond).toBeNull();
    await governed.copy(copyOf(1));
    expect(governor.perSecond).not.toBeNull();
    expect(governor.bulkKeys).toBeLessThan(100);
  });

  it("lowers the rate to what the writes before it, which were accepted, have raised it to", async () => {
    const rateAfter = async (granted: number) => {
      const { governed, governor } = failing((nth) => (nth === granted + 1 ? "store_throttled" : null));
      for (let i = 0; i <= granted; i += 1) await governed.copy(copyOf(1));
      return governor.perSecond ?? 0;
    };
    expect(await rateAfter(500)).toBeGreaterThan(2 * (await rateAfter(1)));
    expect(await rateAfter(2000)).toBeGreaterThan(2 * (await rateAfter(500)));
  });

  it("of everything for two seconds is shown as what the job waits for, until something is answered", async () => {
    const { governed, clock, stalls } = failing((nth) => (nth <= 30 ? "store_throttled" : null));
    await governed.list(LIST);
    expect(stalls.waiting(clock.at + 5000)).toBeNull();
    const stuck = failing(() => "store_throttled");
    const began = stuck.clock.at;
    const stop = new AbortController();
    const copying = stuck.governed.copy(copyOf(1), stop.signal);
    await stuck.clock.sleep(5000);
    expect(stuck.stalls.waiting(stuck.clock.at)).toMatchObject({ reason: "throttled", since: began });
    expect(stuck.stalls.waiting(began + 1000)).toBeNull();
    stop.abort();
    await expect(copying).rejects.toMatchObject({ code: "stopped" });
  });

  it("of one part of a copy repeats that part only", async () => {
    const { governed, parts } = copyingInParts((nth) => (nth > 3 && nth <= 40 ? "store_throttled" : null));
    expect(await governed.copy(copyOf(1))).toMatchObject({ kind: "copied" });
    expect(parts).toEqual([1, 2, 3, ...Array<number>(38).fill(4), 5]);
  });

  it("in between does not count towards the time of other failures", async () => {
    const { governed, calls } = failing((nth) =>
      nth > 60 ? null : nth % 2 === 0 ? "store_throttled" : "store_unavailable",
    );
    expect(await governed.list(LIST)).toEqual(PAGE);
    expect(calls).toHaveLength(61);
  });
});

describe("an unavailable store", () => {
  it("is tried again for half a minute, then the error is thrown", async () => {
    const { governed, calls } = failing(() => "store_unavailable");
    await expect(governed.list(LIST)).rejects.toMatchObject({ code: "store_unavailable" });
    expect(calls.length).toBeGreaterThan(5);
    expect(calls.at(-1)).toBeGreaterThanOrEqual(30_000);
    expect(calls.at(-1)).toBeLessThan(40_000);
  });

  it("that is available again within it fails nothing", async () => {
    const { governed } = failing((nth) => (nth <= 5 ? "store_unavailable" : null));
    expect(await governed.copy(copyOf(1))).toMatchObject({ kind: "copied" });
  });

  it.each(["store_denied", "store_refused", "bucket_missing", "stopped"] as const)(
    "is not what %s means: that is thrown at once",
    async (code) => {
      const { governed, calls } = failing(() => code);
      await expect(governed.list(LIST)).rejects.toMatchObject({ code });
      expect(calls).toHaveLength(1);
    },
  );
});

describe("a stop", () => {
  it("ends the waiting between attempts", async () => {
    const stop = new AbortController();
    const { governed, calls } = failing((nth) => {
      if (nth === 3) stop.abort();
      return "store_throttled";
    });
    await expect(governed.list(LIST, stop.signal)).rejects.toMatchObject({ code: "stopped" });
    expect(calls).toHaveLength(3);
  });

  it("before a request lets it not begin", async () => {
    const { governed, calls } = failing(() => null);
    const stopped = AbortSignal.abort();
    await expect(governed.list(LIST, stopped)).rejects.toMatchObject({ code: "stopped" });
    await expect(governed.copy(copyOf(1), stopped)).rejects.toMatchObject({ code: "stopped" });
    expect(calls).toHaveLength(0);
  });
});

describe("limits", () => {
  it("of requests a second hold over all kinds of requests", async () => {
    const { governed, calls } = failing(() => null, { requests: 10 });
    for (let i = 0; i < 20; i += 1) await (i % 2 === 0 ? governed.list(LIST) : governed.copy(copyOf(1)));
    expect(calls.at(-1)).toBeGreaterThanOrEqual(1700);
  });

  it("of requests a second count each of the three that a bucket's facts take", async () => {
    const { governed, calls } = failing(() => null, { requests: 10 });
    for (let i = 0; i < 7; i += 1) await governed.bucketFacts("b");
    expect(calls.at(-1)).toBeGreaterThanOrEqual(1900);
  });

  it("of bytes a second make the copy after a large one wait", async () => {
    const { governed, calls } = failing(() => null, { bytes: 1000 });
    await governed.copy(copyOf(60_000));
    await governed.copy(copyOf(1));
    expect((calls[1] ?? 0) - (calls[0] ?? 0)).toBeGreaterThan(59_000);
  });
});

describe("a deletion", () => {
  it("is one attempt: its evidence would age during a wait", async () => {
    const { governed, calls, clock } = failing(() => "store_throttled");
    await expect(governed.deleteObjects("b", [{ key: "k", etag: "e" }])).rejects.toMatchObject({
      code: "store_throttled",
    });
    expect(calls).toHaveLength(1);
    expect(clock.sleeps).toEqual([]);
  });

  it("waits for its limits before its evidence is gathered", async () => {
    const { governed, clock } = failing(() => null, { requests: 10 });
    const began = clock.at;
    for (let i = 0; i < 20; i += 1) await governed.reserveWrites("b", 1);
    expect(clock.at - began).toBeGreaterThanOrEqual(1900);
    expect(await governed.useReservation()).toBe(false);
  });

  it("whose evidence took long counts in the second in which it is sent", async () => {
    const { governed, calls, clock } = failing(() => null, { requests: 5 });
    await governed.reserveWrites("b", 1);
    clock.at += 3000;
    const began = clock.at;
    for (let i = 0; i < 10; i += 1) await governed.list(LIST);
    expect(await governed.useReservation()).toBe(true);
    const from = clock.at - 1000;
    expect(clock.at).toBeGreaterThan(began + 1000);
    expect(calls.filter((at) => at + 1_000_000 > from)).toHaveLength(4);
  });

  it("is sent at once, and takes nothing more, where the second has room for it", async () => {
    const { governed, calls, clock } = failing(() => null, { requests: 10 });
    await governed.reserveWrites("b", 1);
    for (let i = 0; i < 8; i += 1) await governed.list(LIST);
    const at = clock.at;
    expect(await governed.useReservation()).toBe(false);
    expect(clock.at).toBe(at);
    await governed.list(LIST);
    const [before, after] = calls.slice(-2);
    expect((after ?? 0) - (before ?? 0)).toBeLessThanOrEqual(125);
  });

  it("that is sent again in part costs the limits that again", async () => {
    const clock = new VirtualClock(1_000_000, "free");
    const store = {
      endpoint: "e",
      list: async () => PAGE,
      deleteObjects: async (
        _bucket: string,
        _objects: unknown,
        _signal: unknown,
        { limiter }: { limiter: WriteLimiter },
      ) => {
        for (let round = 0; round < 9; round += 1) await limiter(1, async () => {});
        return [];
      },
    } as unknown as ObjectStore;
    const { governed } = governedOver(store, clock, { requests: 10 });
    await governed.reserveWrites("b", 1);
    await governed.useReservation();
    const began = clock.at;
    await governed.deleteObjects("b", [{ key: "k", etag: "e" }]);
    expect(clock.at).toBe(began);
    await governed.list(LIST);
    expect(clock.at - began).toBeGreaterThanOrEqual(900);
  });
});

describe("a throttler", () => {
  const shut: Hold = { reason: "window", until: null, detail: "shut" };
  const SOURCE = { bucket: "a", key: "k", etag: "e", size: 1 };
  const REQUEST = {
    source: SOURCE,
    target: { bucket: "b", key: "k" },
    storageClass: null,
    onlyIfAbsent: true,
  };

  /** A store whose copy makes one request with a signal and then cleans up with one that has none. */
  function behindThrottler(observation: (at: number) => Hold | null, onCopy: () => void = () => {}) {
    const clock = new VirtualClock(1_000_000, "free");
    const sent: [string, number][] = [];
    const note = (name: string) => async () => {
      sent.push([name, clock.at]);
    };
    const store = {
      endpoint: "e",
      list: note("list"),
      copy: async (_: unknown, signal: AbortSignal, limiter: WriteLimiter) => {
        onCopy();
        try {
          await limiter(1, note("part"), signal);
        } finally {
          await limiter(1, note("abort"), undefined);
        }
        return { kind: "copied", etag: "x" };
      },
    } as unknown as ObjectStore;
    const governed = new GovernedObjectStore({
      ...{ store, clock, fairQueue: new FairQueue(clock), stalls: new JobStallDetectors().stores },
      requestLimits: [],
      byteLimits: [],
      governorOf: (() => {
        const governor = new BucketGovernor();
        return () => governor;
      })(),
      throttler: new Throttler(clock, [observation]),
    });
    return { governed, clock, sent };
  }

  it("lets nothing begin while it is closed, and everything when it opens", async () => {
    const opensAt = 1_000_000 + 5_000;
    const { governed, sent } = behindThrottler((at) => (at < opensAt ? { ...shut, until: opensAt } : null));
    await governed.list(LIST, new AbortController().signal);
    expect(sent).toEqual([["list", opensAt]]);
  });

  it("never keeps a copy that was asked to stop from cleaning up", async () => {
    const stop = new AbortController();
    let copies = false;
    const shutNow = () => {
      copies = true;
    };
    const { governed, clock, sent } = behindThrottler(() => (copies ? shut : null), shutNow);
    const sleep = clock.sleep.bind(clock);
    clock.sleep = async (ms, signal) => {
      await sleep(ms, signal);
      if (clock.at > 1_000_000 + 3_000) stop.abort();
    };
    const copying = governed.copy(REQUEST, stop.signal);
    await expect(copying).rejects.toMatchObject({ code: "stopped" });
    expect(sent.map(([name]) => name)).toEqual(["abort"]);
  });
});
