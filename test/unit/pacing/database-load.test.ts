/** The guard's arithmetic: how near a limit is, and the gap between statements that follows. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DatabaseLimits } from "../../../src/domain/job-spec.ts";
import {
  gapMs,
  isTripped,
  loadsOf,
  releaseValue,
  restMs,
} from "../../../src/pacing/database/database-load.ts";
import type { HealthSample } from "../../../src/ports/database-health.ts";

const LIMITS: DatabaseLimits = {
  maxThreadsRunning: 41,
  maxReplicaLagSeconds: 5,
  maxLockWaits: 10,
  onUnknown: "hold",
};
const QUIET: HealthSample = {
  threadsRunning: 1,
  replicaLagSeconds: 0,
  replica: { server: "replica", trouble: null },
  lockWaits: 0,
  missingRights: [],
};
const loads = (sample: Partial<HealthSample>, limits: Partial<DatabaseLimits> = {}) =>
  loadsOf({ ...QUIET, ...sample }, { ...LIMITS, ...limits }).map(({ load }) => load);
const anyLoad = fc.double({ min: 0, max: 4, noNaN: true });
const step = 0.0001;

describe("the load of a measure", () => {
  it.each([
    ["an idle database", {}, {}, [0, 0, 0]],
    ["half of each limit", { threadsRunning: 21, replicaLagSeconds: 2.5, lockWaits: 5 }, {}, [0.5, 0.5, 0.5]],
    ["each limit", { threadsRunning: 41, replicaLagSeconds: 5, lockWaits: 10 }, {}, [1, 1, 1]],
    [
      "a stopped replica",
      { replicaLagSeconds: Number.POSITIVE_INFINITY },
      {},
      [0, Number.POSITIVE_INFINITY, 0],
    ],
    ["what could not be read", { threadsRunning: null, replicaLagSeconds: null, lockWaits: null }, {}, []],
    ["no limits", { threadsRunning: 900 }, { maxThreadsRunning: null, maxReplicaLagSeconds: null }, [0]],
    ["lock waits without a limit", { lockWaits: 8 }, { maxLockWaits: null }, [0, 0, 1]],
    ["nobody else where nobody may be", { threadsRunning: 1 }, { maxThreadsRunning: 1 }, [0, 0, 0]],
    [
      "another thread where none may run",
      { threadsRunning: 2 },
      { maxThreadsRunning: 1 },
      [Number.POSITIVE_INFINITY, 0, 0],
    ],
    ["no lag where none may be", {}, { maxReplicaLagSeconds: 0 }, [0, 0, 0]],
    [
      "lag where none may be",
      { replicaLagSeconds: 1 },
      { maxReplicaLagSeconds: 0 },
      [0, Number.POSITIVE_INFINITY, 0],
    ],
  ])("%s", (_, sample, limits, expected) => {
    expect(loads(sample, limits)).toEqual(expected);
  });

  it("spaces out and never holds by lock waits for a job that was stored before there was a limit for them", () => {
    const stored = JSON.parse(
      '{"maxThreadsRunning":41,"maxReplicaLagSeconds":null,"onUnknown":"hold"}',
    ) as DatabaseLimits;
    const [threads, lockWaits] = loadsOf({ ...QUIET, lockWaits: 800 }, stored);
    expect([threads?.measure, lockWaits?.measure]).toEqual(["threadsRunning", "lockWaits"]);
    expect([lockWaits?.load, lockWaits?.mayHold]).toEqual([100, false]);
    expect(lockWaits !== undefined && isTripped(lockWaits, false)).toBe(false);
  });

  it("holds above the limit, and then until it is back at nine tenths", () => {
    const at = (threadsRunning: number, wasTripped: boolean) =>
      isTripped(loadsOf({ ...QUIET, threadsRunning }, LIMITS)[0]!, wasTripped);
    expect([at(41, false), at(42, false), at(41, true), at(38, true), at(37, true)]).toEqual([
      ...[false, true, true, true, false],
    ]);
  });

  it("holds again only above the limit: a value that swings between nine tenths and the limit changes nothing", () => {
    const swings = fc.array(fc.integer({ min: 37, max: 41 }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(swings, (values) => {
        let isHolding = false;
        for (const threadsRunning of values) {
          isHolding = isTripped(loadsOf({ ...QUIET, threadsRunning }, LIMITS)[0]!, isHolding);
          expect(isHolding).toBe(false);
        }
      }),
    );
  });

  it("tells the very value at which it holds no longer", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), (maxThreadsRunning) => {
        const load = (threadsRunning: number) =>
          loadsOf({ ...QUIET, threadsRunning }, { ...LIMITS, maxThreadsRunning })[0]!;
        const released = releaseValue(load(maxThreadsRunning + 1));
        expect(released).toBeGreaterThanOrEqual(1);
        expect(isTripped(load(released), true)).toBe(false);
        expect(isTripped(load(released + 1), true)).toBe(true);
      }),
    );
  });

  it("of lock waits holds only by a limit of the job's own", () => {
    const [, , load] = loadsOf({ ...QUIET, lockWaits: 500 }, { ...LIMITS, maxLockWaits: null });
    expect(isTripped(load!, false)).toBe(false);
  });
});

describe("the gap between two statements", () => {
  it("is nothing up to half of the limit, two seconds at the limit, and never more", () => {
    expect([0, 0.25, 0.5].map(gapMs)).toEqual([0, 0, 0]);
    expect([1, 1.5, Number.POSITIVE_INFINITY].map(gapMs)).toEqual([2000, 2000, 2000]);
  });

  it("grows with the load, without a jump", () => {
    fc.assert(
      fc.property(anyLoad, (load) => {
        const growth = gapMs(load + step) - gapMs(load);
        expect(growth).toBeGreaterThanOrEqual(0);
        expect(growth).toBeLessThan(1);
        if (load > 0.5 && load < 0.99) expect(gapMs(load + 0.01)).toBeGreaterThan(gapMs(load));
      }),
    );
  });
});

describe("the rest after a statement", () => {
  it.each([
    [0, 0],
    [50, 0],
    [75, 50],
    [100, 100],
    [1500, 1500],
    [90_000, 30_000],
  ])("after %i ms it is %i ms", (ms, rest) => {
    expect(restMs(ms)).toBe(rest);
  });

  it("grows with the time it took, without a jump", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 60_000, noNaN: true }), (ms) => {
        const growth = restMs(ms + step) - restMs(ms);
        expect(growth).toBeGreaterThanOrEqual(0);
        expect(growth).toBeLessThan(0.001);
      }),
    );
  });
});
