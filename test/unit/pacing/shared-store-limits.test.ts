/** A store's limit in several processes: all together keep it at every moment, use it, and divide it by jobs. */

import { beforeEach, describe, expect, it } from "vitest";
import type { ShareEntry } from "../../../src/domain/rates/store-shares.ts";
import { SharedStoreLimits } from "../../../src/pacing/rates/shared-store-limits.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import { mostInASecond } from "../../support/arrivals.ts";
import { VirtualClock } from "../../support/clocks/virtual-clock.ts";

const LIMIT = 400;
const VALID_MS = 10_000;
/** A share that is not confirmed any more is divided within this time: docs/decisions/0021-shared-store-limits.md. */
const FREE_MS = VALID_MS + 3_000;
const START = 1_790_000_000_000;

let clock: VirtualClock;
let entries: readonly ShareEntry[];
let sent: number[];
beforeEach(() => {
  clock = new VirtualClock(START);
  entries = [];
  sent = [];
});

/** A process with clocks of its own, whose ledger can be away, and which can be stopped and killed. */
class Process {
  readonly sent: number[] = [];
  readonly failures: unknown[] = [];
  readonly limits: SharedStoreLimits;
  ledgerIsAway = false;
  /** Of its wall clock. */
  aheadMs: number;
  /** Until then (after {@link START}) the ledger does not answer, ms. */
  ledgerHangsUntil = 0;
  isKilled = false;
  #isStopped = false;
  #goOn: (() => void)[] = [];
  readonly #clock: Clock;

  /** `speed` is how fast its clocks run. */
  constructor(owner: string, { aheadMs = 0, speed = 1 } = {}) {
    this.aheadMs = aheadMs;
    const elapsedMs = () => (clock.now() - START) * speed;
    this.#clock = {
      now: () => START + elapsedMs() + this.aheadMs,
      monotonic: elapsedMs,
      sleep: (ms, signal) => clock.sleep(ms, signal).then(() => this.#running()),
    };
    const reviseShares = async (
      _: string,
      revise: (entries: readonly ShareEntry[]) => readonly ShareEntry[],
    ) => {
      await clock.sleep(3);
      await clock.sleep(START + this.ledgerHangsUntil - clock.now());
      await this.#running();
      if (this.ledgerIsAway) throw new Error("away");
      entries = revise(structuredClone(entries));
      await clock.sleep(3);
      await this.#running();
    };
    const sharing = {
      ...{ ledger: { reviseShares }, clock: this.#clock, owner, validMs: VALID_MS },
      onFailure: (error: unknown) => this.failures.push(error),
    };
    this.limits = new SharedStoreLimits("main", { requestsPerSecond: LIMIT, bytesPerSecond: null }, sharing);
  }

  /** Sends as much as it may, at most `perSecond`, for a job of its own. */
  async work(perSecond = 10 * LIMIT, isOver = () => false): Promise<void> {
    const { requests } = this.limits.of({});
    for (let owed = 0, last = this.#clock.now(); !this.isKilled && !isOver(); ) {
      const now = this.#clock.now();
      owed = Math.min(owed + ((now - last) * perSecond) / 1000, 64);
      last = now;
      for (; owed >= 1 && requests.waitMs(1, now) === 0; owed -= 1) {
        requests.take(1, now);
        this.sent.push(clock.now());
        sent.push(clock.now());
      }
      await this.#clock.sleep(5);
    }
  }

  stop(): void {
    this.#isStopped = true;
  }

  goOn(): void {
    this.#isStopped = false;
    for (const goOn of this.#goOn.splice(0)) goOn();
  }

  sentBetween(from: number, to: number): number {
    return this.sent.filter((at) => at >= START + from && at < START + to).length;
  }

  #running(): Promise<void> {
    if (this.isKilled) return new Promise(() => {});
    return this.#isStopped ? new Promise((resolve) => this.#goOn.push(resolve)) : Promise.resolve();
  }
}

const run = (until: number) => clock.runUntil(START + until);
const expectKept = () => expect(mostInASecond(sent)).toBeLessThanOrEqual(LIMIT * 1.05);
/** Of the limit, in the seconds between. */
const used = (process: Process, from: number, to: number) =>
  (process.sentBetween(from, to) * 1000) / (to - from) / LIMIT;

/** Two processes of which the second began `phase` ms later; both have worked for a while when it returns, at 10 s. */
async function twoAtWork(phase = 0, speed = 1): Promise<[left: Process, right: Process]> {
  const [left, right] = [new Process("left", { speed }), new Process("right")];
  void left.work();
  await run(phase);
  void right.work();
  await run(10_000);
  return [left, right];
}

describe("processes on one store", () => {
  it("have all of the limit when they are alone, and half when another begins", async () => {
    const [left, right] = [new Process("left"), new Process("right", { aheadMs: -3_600_000 })];
    void left.work();
    await run(10_000);
    expect(used(left, 2_000, 10_000)).toBeGreaterThan(0.95);
    void right.work();
    await run(30_000);
    expectKept();
    for (const process of [left, right]) {
      expect(used(process, 13_000, 30_000)).toBeGreaterThan(0.475);
      expect(used(process, 13_000, 30_000)).toBeLessThan(0.525);
    }
  });

  it.each([0, 250, 500, 750, 999])(
    "wait at most 1.3 s to begin beside another (%d ms apart)",
    async (phase) => {
      const [left, right] = [new Process("left"), new Process("right")];
      void left.work();
      await run(5_000 + phase);
      void right.work();
      await run(7_000 + phase);
      expect(right.sent[0]).toBeLessThanOrEqual(START + 5_000 + phase + 1_300);
      expectKept();
    },
  );

  it("have as much as they have jobs", async () => {
    const [left, right] = [new Process("left"), new Process("right")];
    for (const process of [left, left, left, right]) void process.work();
    await run(20_000);
    expectKept();
    expect(used(left, 4_000, 20_000)).toBeCloseTo(0.75, 1);
    expect(used(right, 4_000, 20_000)).toBeCloseTo(0.25, 1);
  });

  it("keep the parts of their jobs where they use less", async () => {
    const [left, right] = [new Process("left"), new Process("right")];
    void left.work();
    void right.work(0.1 * LIMIT, () => clock.now() >= START + 20_000);
    await run(20_000);
    expect(used(right, 5_000, 20_000)).toBeCloseTo(0.1, 2);
    expect(used(left, 5_000, 20_000)).toBeCloseTo(0.5, 1);
    void right.work();
    await run(40_000);
    expectKept();
    expect(used(right, 21_000, 40_000)).toBeCloseTo(0.5, 1);
  });

  it("give everything up when their jobs have ended", async () => {
    const [left, right] = [new Process("left"), new Process("right")];
    void left.work(undefined, () => clock.now() >= START + 20_000);
    void right.work(undefined, () => clock.now() >= START + 10_000);
    await run(20_000);
    expect(used(left, 15_000, 20_000)).toBeGreaterThan(0.95);
    expect(entries.map(({ owner }) => owner)).toEqual(["left"]);
    void left.limits.close();
    await run(20_100);
    expect(entries).toEqual([]);
  });

  it("have what a killed one had when it has confirmed nothing for as long as a share is valid", async () => {
    const [left, right] = await twoAtWork();
    left.isKilled = true;
    await run(30_000);
    expectKept();
    expect(used(right, 10_000, 10_000 + VALID_MS - 1_500)).toBeLessThan(0.525);
    expect(used(right, 10_000 + FREE_MS, 30_000)).toBeGreaterThan(0.95);
  });

  it.each([VALID_MS - 3_000, VALID_MS + 8_000])(
    "exceed nothing when one was stopped for %d ms",
    async (ms) => {
      const [left, right] = await twoAtWork();
      left.stop();
      await run(10_000 + ms);
      left.goOn();
      await run(40_000);
      expectKept();
      for (const process of [left, right])
        expect(used(process, 10_000 + ms + 4_000, 40_000)).toBeCloseTo(0.5, 1);
    },
  );

  it("exceed nothing when the wall clock of one was set back while it was stopped", async () => {
    const [left] = await twoAtWork();
    left.stop();
    await run(25_000);
    left.aheadMs = -13_500;
    left.ledgerIsAway = true;
    left.goOn();
    await run(27_000);
    expect(left.sentBetween(10_100, 27_000)).toBe(0);
    left.ledgerIsAway = false;
    await run(40_000);
    expectKept();
    expect(used(left, 30_000, 40_000)).toBeCloseTo(0.5, 1);
  });

  // The other may have read the entries just before or just after. Clocks of two hosts do not run equally fast.
  it.each([0, 250, 500, 750].flatMap((phase) => [1, 0.96].map((speed) => ({ phase, speed }))))(
    "keep a share while the ledger is away, as long as it is valid and no longer ($phase ms apart, clocks at $speed)",
    async ({ phase, speed }) => {
      const [left, right] = await twoAtWork(phase, speed);
      left.ledgerIsAway = true;
      await run(35_000);
      expect(used(left, 10_000, 10_000 + VALID_MS - 1_100)).toBeGreaterThan(0.45);
      expect(left.sentBetween(10_000 + VALID_MS / speed, 35_000)).toBe(0);
      expect(left.failures.length).toBeGreaterThan(5);
      expect(used(right, 10_000 + FREE_MS, 35_000)).toBeGreaterThan(0.95);
      left.ledgerIsAway = false;
      await run(50_000);
      expectKept();
      expect(used(left, 40_000, 50_000)).toBeCloseTo(0.5, 1);
    },
  );

  // As a network that is cut does: whatever was asked is answered when it is whole again.
  it.each([0, 250, 500, 750])(
    "take nothing that was divided while they waited for the ledger's answer (%d ms apart)",
    async (phase) => {
      const [left, right] = await twoAtWork(phase);
      left.ledgerIsAway = true;
      await run(10_000 + VALID_MS - 2_000);
      left.ledgerIsAway = false;
      left.ledgerHangsUntil = 10_000 + VALID_MS + 4_000;
      await run(40_000);
      expectKept();
      for (const process of [left, right]) expect(used(process, 30_000, 40_000)).toBeCloseTo(0.5, 1);
    },
  );
});
