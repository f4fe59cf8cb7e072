/** A store's limits with other processes where little happens: clocks set back, pauses, bytes, requests paid ahead. */

import { beforeEach, describe, expect, it } from "vitest";
import type { WrittenShare } from "../../../src/domain/rates/store-shares.ts";
import { StoreDemand } from "../../../src/pacing/rates/store-demand.ts";
import { StoreLimits } from "../../../src/pacing/rates/store-limits.ts";
import { VirtualClock } from "../../support/clocks/virtual-clock.ts";

const START = 1_790_000_000_000;
const VALID_MS = 10_000;
const PER_SECOND = 400;
const OTHER: WrittenShare = { owner: "other", jobs: 1, wants: 1, share: 0.75, beat: 0 };

let clock: VirtualClock;
/** By the name of the limit. */
let written: Map<string, readonly WrittenShare[]>;
let isAway: boolean;
let answerMs: number;
/** How often each revision is made again because another process came between. */
let repeats: number;
/** By how much the clock of the process is set back. */
let backMs: number;
beforeEach(() => {
  clock = new VirtualClock(START);
  written = new Map();
  isAway = false;
  answerMs = 3;
  repeats = 0;
  backMs = 0;
});

const run = (ms: number) => clock.runUntil(clock.now() + ms);
const now = () => clock.now() - backMs;

function limits(bytesPerSecond: number | null = null): StoreLimits {
  return new StoreLimits(
    "main",
    { requestsPerSecond: PER_SECOND, bytesPerSecond },
    {
      owner: "own",
      validMs: VALID_MS,
      clock: { now, monotonic: now, sleep: (ms, signal) => clock.sleep(ms, signal) },
      ledger: {
        async reviseShares(name, revise) {
          await clock.sleep(answerMs);
          if (isAway) throw new Error("away");
          for (let again = 0; again < repeats; again += 1) revise(written.get(name) ?? []);
          written.set(name, revise(written.get(name) ?? []));
        },
      },
      monotonicMs: () => clock.now(),
      onTrouble: () => {},
    },
  );
}

describe("a share of a store's limits", () => {
  it("is had again after a pause in which it was given up", async () => {
    const { requests } = limits().of({});
    for (const _ of [1, 2]) {
      expect(requests.waitMs(1, now())).toBeGreaterThan(0);
      await run(100);
      expect(requests.waitMs(1, now())).toBe(0);
      await run(5_000);
      expect([...written.values()].flat()).toEqual([]);
    }
  });

  it("lasts no longer when the clock is set back", async () => {
    const { requests } = limits().of({});
    requests.waitMs(1, now());
    await run(100);
    expect(requests.waitMs(1, now())).toBe(0);
    isAway = true;
    backMs = 3_600_000;
    expect(requests.waitMs(1, now())).toBeGreaterThan(0);
  });

  it("lasts from when it was asked for, however late the answer", async () => {
    const { requests } = limits().of({});
    answerMs = VALID_MS - 1_000;
    const ask = () => requests.waitMs(1, now());
    expect(ask()).toBeGreaterThan(0);
    for (let ms = 0; ms < answerMs + 100; ms += 1_000) await run(1_000).then(ask);
    isAway = true;
    await run(1_000);
    expect(ask()).toBeGreaterThan(0);
  });

  it("of another process is not taken for given up too early, however often what is written down has to be read", async () => {
    written.set("requests main", [OTHER]);
    repeats = 3;
    const { requests } = limits().of({});
    const owners = () => written.get("requests main")?.map(({ owner }) => owner);
    for (let ms = 0; ms < VALID_MS - 1_000; ms += 500) {
      requests.waitMs(1, now());
      await run(500);
    }
    expect(owners()).toEqual(["other", "own"]);
    for (let ms = 0; ms < 4_000; ms += 500) {
      requests.waitMs(1, now());
      await run(500);
    }
    expect(owners()).toEqual(["own"]);
  });

  it("is waited for by requests that pay ahead, by those that have paid, and by bytes", async () => {
    const all = limits(1_000_000).of({});
    for (const limit of [all.requests, all.requests.reservation, all.requests.dispatch, all.bytes])
      expect(limit.waitMs(1, now())).toBeGreaterThan(0);
    await run(100);
    for (const limit of [all.requests, all.requests.reservation, all.requests.dispatch, all.bytes])
      expect(limit.waitMs(1, now())).toBe(0);
  });

  it("holds for bytes as for requests", async () => {
    written.set("bytes main", [OTHER]);
    const { bytes } = limits(1_000_000).of({});
    bytes.waitMs(1, now());
    await run(100);
    bytes.take(1_000_000, now());
    // What begins after a pause begins at 80 %.
    expect(bytes.waitMs(1, now())).toBeGreaterThan(3_900);
  });
});

describe("requests and bytes", () => {
  it("are shared apart: who is short of one leaves the other to the others", async () => {
    written
      .set("requests main", [{ ...OTHER, share: 0 }])
      .set("bytes main", [{ ...OTHER, share: 0, wants: 0.1 }]);
    const { requests, bytes } = limits(1_000_000).of({});
    requests.waitMs(1, now());
    bytes.waitMs(1, now());
    await run(100);
    const shareOf = (name: string) => written.get(name)?.find(({ owner }) => owner === "own")?.share;
    expect(shareOf("requests main")).toBeCloseTo(0.5);
    expect(shareOf("bytes main")).toBeCloseTo(0.9);
  });
});

describe("how much of a limit could be used", () => {
  it("is all of it for whoever waits all the time, though timers are late", () => {
    const demand = new StoreDemand(1_000_000);
    const wants: number[] = [];
    let lookedAt = START;
    demand.wants(START);
    // A large object waits for a minute, looking again every quarter of a second, and later where timers are late.
    for (let at = START; at < START + 60_000; at += 262) {
      demand.waited(at);
      if (at - lookedAt < 1_010) continue;
      lookedAt = at;
      wants.push(demand.wants(at));
    }
    expect(wants.slice(1).filter((part) => part < 1)).toEqual([]);
  });

  it("is little more than what was used where only bursts wait", () => {
    const demand = new StoreDemand(400);
    demand.wants(START);
    for (let at = START + 500; at <= START + 3_000; at += 500) demand.waited(at);
    expect(demand.wants(START + 3_000)).toBeLessThan(0.1);
  });
});
