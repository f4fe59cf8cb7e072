/** The share of a limit in one process: when it is taken, confirmed, valid and given up, and what other entries do to it. */

import { beforeEach, describe, expect, it } from "vitest";
import type { ShareEntry } from "../../../src/domain/rates/store-shares.ts";
import { SharedStoreLimits } from "../../../src/pacing/rates/shared-store-limits.ts";
import { StoreShare } from "../../../src/pacing/rates/store-share.ts";
import type { Ledger } from "../../../src/ports/ledger.ts";
import { VirtualClock } from "../../support/clocks/virtual-clock.ts";

const START = 1_790_000_000_000;
const VALID_MS = 10_000;
const PER_SECOND = 400;
const OTHER: ShareEntry = { owner: "other", jobs: 1, share: 0.75, beat: 0 };

let clock: VirtualClock;
/** By the name of the limit. */
let entries: Map<string, readonly ShareEntry[]>;
let isAway: boolean;
let answerMs: number;
/** How often each revision is made again because another process came between. */
let repeats: number;
/** By how much the wall clock of the process is set back. */
let backMs: number;
beforeEach(() => {
  clock = new VirtualClock(START);
  entries = new Map();
  isAway = false;
  answerMs = 3;
  repeats = 0;
  backMs = 0;
});

const run = (ms: number) => clock.runUntil(clock.now() + ms);
const now = () => clock.now() - backMs;
const owners = (name: string) => entries.get(name)?.map(({ owner }) => owner);

const ledger: Pick<Ledger, "reviseShares"> = {
  async reviseShares(name, revise) {
    await clock.sleep(answerMs);
    if (isAway) throw new Error("away");
    for (let again = 0; again < repeats; again += 1) revise(entries.get(name) ?? []);
    entries.set(name, revise(entries.get(name) ?? []));
  },
};

function sharing() {
  return {
    ...{ ledger, owner: "own", validMs: VALID_MS },
    clock: {
      now,
      monotonic: () => clock.now(),
      sleep: (ms: number, signal?: AbortSignal) => clock.sleep(ms, signal),
    },
    onFailure: () => {},
  };
}

function limits(bytesPerSecond: number | null = null): SharedStoreLimits {
  return new SharedStoreLimits("main", { requestsPerSecond: PER_SECOND, bytesPerSecond }, sharing());
}

describe("a share of a store's limits", () => {
  it("is taken again after a pause in which it was given up", async () => {
    const { requests } = limits().of({});
    for (const _ of [1, 2]) {
      expect(requests.waitMs(1, now())).toBeGreaterThan(0);
      await run(100);
      expect(requests.waitMs(1, now())).toBe(0);
      await run(5_000);
      expect([...entries.values()].flat()).toEqual([]);
    }
  });

  it("is made smaller before that is written, and larger after that was written", async () => {
    const events: string[] = [];
    const noting: Pick<Ledger, "reviseShares"> = {
      reviseShares: (name, revise) =>
        ledger.reviseShares(name, (before) => {
          const after = revise(before);
          events.push(`writes ${after.find(({ owner }) => owner === "own")?.share}`);
          return after;
        }),
    };
    const onShare = (share: number) => void events.push(`uses ${share}`);
    const share = new StoreShare({ ...sharing(), ledger: noting, name: "limit", onShare });
    share.waitMs({}, now());
    await run(100);
    expect(events.splice(0)).toEqual(["writes 1", "uses 1"]);
    entries.set("limit", [...(entries.get("limit") ?? []), { ...OTHER, share: 0 }]);
    await run(1_000);
    expect(events).toEqual(["writes 1", "uses 0.5", "writes 0.5"]);
  });

  it("lasts no longer when the wall clock is set back", async () => {
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

  it("of another process is not dropped too early, however often the entries have to be read", async () => {
    entries.set("requests main", [OTHER]);
    repeats = 3;
    const { requests } = limits().of({});
    const workFor = async (forMs: number) => {
      for (let ms = 0; ms < forMs; ms += 500) {
        requests.waitMs(1, now());
        await run(500);
      }
    };
    await workFor(VALID_MS - 1_000);
    expect(owners("requests main")).toEqual(["other", "own"]);
    await workFor(4_000);
    expect(owners("requests main")).toEqual(["own"]);
  });

  it("goes by jobs beside a process of the version before, which writes what it wants as well", async () => {
    entries.set("requests main", [{ ...OTHER, jobs: 3, wants: 0.1, share: 0.1 } as ShareEntry]);
    limits().of({}).requests.waitMs(1, now());
    await run(100);
    expect(entries.get("requests main")?.at(-1)).toMatchObject({ owner: "own", jobs: 1, share: 0.25 });
  });

  it("is waited for by requests that are reserved ahead, by those that were, and by bytes", async () => {
    const all = limits(1_000_000).of({});
    for (const limit of [all.requests, all.requests.reservation, all.requests.dispatch, all.bytes])
      expect(limit.waitMs(1, now())).toBeGreaterThan(0);
    await run(100);
    for (const limit of [all.requests, all.requests.reservation, all.requests.dispatch, all.bytes])
      expect(limit.waitMs(1, now())).toBe(0);
  });

  it("holds for bytes as for requests", async () => {
    entries.set("bytes main", [OTHER]);
    const { bytes } = limits(1_000_000).of({});
    bytes.waitMs(1, now());
    await run(100);
    bytes.take(1_000_000, now());
    // What begins after a pause begins at 80 %.
    expect(bytes.waitMs(1, now())).toBeGreaterThan(3_900);
  });
});
