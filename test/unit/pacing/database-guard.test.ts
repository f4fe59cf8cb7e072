/** The guard with simulated health and time: it samples rarely, tells why it holds, and holds no longer than needed. */

import { describe, expect, it } from "vitest";
import { DomainError } from "../../../src/domain/errors.ts";
import type { DatabaseLimits } from "../../../src/domain/job-spec.ts";
import { DatabaseGuard } from "../../../src/pacing/database/database-guard.ts";
import { GuardedReferenceTable } from "../../../src/pacing/database/guarded-reference-table.ts";
import { InFlight } from "../../../src/pacing/in-flight.ts";
import { Throttler } from "../../../src/pacing/throttler.ts";
import type { HealthSample, MissingRight } from "../../../src/ports/database-health.ts";
import {
  type ReferenceTable,
  type StatementLimiter,
  unlimitedStatements,
} from "../../../src/ports/reference-table.ts";
import { untilIdle, VirtualClock } from "../../support/clocks/virtual-clock.ts";

const LIMITS: DatabaseLimits = {
  maxThreadsRunning: 40,
  maxReplicaLagSeconds: 5,
  maxLockWaits: null,
  onUnknown: "hold",
};
const QUIET: HealthSample = {
  threadsRunning: 1,
  replicaLagSeconds: 0,
  replica: { server: "10.0.0.2:3306", trouble: null },
  lockWaits: 0,
  missingRights: [],
};
const MISSING: MissingRight = {
  measure: "replicaLagSeconds",
  server: "10.0.0.2:3306",
  right: "SLAVE MONITOR",
  grant: "GRANT SLAVE MONITOR ON *.* TO 'tranship'@'%'",
};
const FORBIDDEN: Partial<HealthSample> = { replicaLagSeconds: null, replica: null, missingRights: [MISSING] };

/** A guard of a database whose health is `healthAt` of the time, ms from the start; statements take `times.ms`. */
function guarded(
  healthAt: (at: number) => Partial<HealthSample> | Error | Promise<Partial<HealthSample>>,
  limits: Partial<DatabaseLimits> = {},
) {
  const clock = new VirtualClock();
  const start = clock.at;
  const looks: number[] = [];
  const asked: boolean[] = [];
  const reported: MissingRight[] = [];
  const began: number[] = [];
  const stop = new AbortController();
  const times = { ms: 10 };
  const inFlight = new InFlight(() => clock.now());
  const guard = new DatabaseGuard({
    health: {
      database: "app",
      async sample({ replicaLag }) {
        looks.push(clock.at - start);
        asked.push(replicaLag);
        const felt = await healthAt(clock.at - start);
        if (felt instanceof Error) throw felt;
        return { ...QUIET, ...felt };
      },
    },
    clock,
    limits: { ...LIMITS, ...limits },
    onMissingRight: (missing) => void reported.push(missing),
  });
  const throttler = new Throttler(clock, [guard.observe]);
  const call = async () => {
    began.push(clock.at - start);
    await clock.sleep(times.ms);
    return [];
  };
  /** A statement for each value. */
  const findRows: ReferenceTable["findRows"] = async (values, limiter = unlimitedStatements) => {
    for (const _ of values) await limiter(call);
    return [];
  };
  const table = new GuardedReferenceTable({
    table: {
      database: "app",
      findRows,
      ping: call,
    } as unknown as ReferenceTable,
    ...{ clock, throttler, guard, signal: stop.signal, inFlight },
  });
  /** Sends `count` statements, one after the other; all reasons shown meanwhile. */
  const send = async (count = 1, onStep: (at: number) => void = () => {}) => {
    const shown: string[] = [];
    const all = async () => {
      for (let nth = 0; nth < count; nth += 1) await table.findRows(["a"]);
    };
    await clock.run(all(), (at) => {
      const detail = throttler.waiting?.detail;
      if (detail !== undefined && !shown.includes(detail)) shown.push(detail);
      onStep(at - start);
    });
    return shown;
  };
  const gaps = () => began.slice(1).map((at, nth) => at - began[nth]!);
  return { clock, guard, table, looks, asked, reported, began, stop, times, inFlight, send, gaps };
}

/** The hold of a guard once it has a sample. */
async function detailOf({ guard }: ReturnType<typeof guarded>): Promise<string | null> {
  guard.observe();
  await untilIdle();
  return guard.observe()?.detail ?? null;
}

describe("the guard's reasons", () => {
  it.each<[string, Partial<HealthSample>, Partial<DatabaseLimits>, string | null]>([
    ["nothing", {}, {}, null],
    ["a busy server", { threadsRunning: 57 }, {}, "Threads_running is 57, the limit is 40"],
    ["a server at its limit", { threadsRunning: 40 }, {}, null],
    [
      "a replica behind",
      { replicaLagSeconds: 12 },
      {},
      "replica lag in seconds on 10.0.0.2:3306 is 12, the limit is 5",
    ],
    [
      "a stopped replica",
      {
        replicaLagSeconds: Number.POSITIVE_INFINITY,
        replica: { server: "10.0.0.2:3306", trouble: "replication on 10.0.0.2:3306 is stopped" },
      },
      {},
      "replication on 10.0.0.2:3306 is stopped; the limit is 5 s of lag",
    ],
    [
      "many lock waits",
      { lockWaits: 21 },
      { maxLockWaits: 20 },
      "the number of transactions waiting for a row lock is 21, the limit is 20",
    ],
    ["many lock waits without a limit", { lockWaits: 21 }, {}, null],
    [
      "a missing right",
      FORBIDDEN,
      {},
      "replica lag in seconds cannot be read on 10.0.0.2:3306: the account lacks the right SLAVE MONITOR; " +
        "run: GRANT SLAVE MONITOR ON *.* TO 'tranship'@'%'",
    ],
    ["a missing right where the job says go", FORBIDDEN, { onUnknown: "go" }, null],
    ["a missing right that no limit needs", FORBIDDEN, { maxReplicaLagSeconds: null }, null],
    [
      "a busy server whose lag nobody may know",
      { ...FORBIDDEN, threadsRunning: 57 },
      { onUnknown: "go" },
      "Threads_running is 57, the limit is 40",
    ],
    ["a file", { threadsRunning: null, replicaLagSeconds: null, replica: null, lockWaits: null }, {}, null],
  ])("%s", async (_, healthAt, limits, detail) => {
    expect(await detailOf(guarded(() => healthAt, limits))).toBe(
      detail === null ? null : `database "app": ${detail}`,
    );
  });

  it("an unknown health, with what went wrong", async () => {
    const setting = guarded(() => new DomainError("database_unavailable", "connection refused"));
    expect(await detailOf(setting)).toBe(
      'database "app": nothing is known of its health yet (connection refused)',
    );
  });
});

describe("a statement", () => {
  it("waits while the database is above its limit, says so, and goes on when it is well below", async () => {
    const threads = (at: number) => (at < 3000 ? 57 : at < 6000 ? 38 : 36);
    const { send, began } = guarded((at) => ({ threadsRunning: threads(at) }));
    expect(await send()).toEqual([
      'database "app": Threads_running is 57, the limit is 40',
      'database "app": Threads_running is 38 after having been above the limit of 40; it goes on at 36',
    ]);
    expect(began[0]).toBeGreaterThanOrEqual(6000);
    expect(began[0]).toBeLessThan(7500);
  });

  it("begins without a pause, and without a wait shown, when the database is within its limits", async () => {
    const { send, clock, began } = guarded(() => ({ threadsRunning: 20 }));
    expect(await send(50)).toEqual([]);
    expect(began.at(-1)).toBe(490);
    clock.at += 3_600_000;
    expect(await send()).toEqual([]);
    expect(began.at(-1)).toBe(3_600_500);
  });

  it.each([
    [30, 100, 700],
    [36, 1000, 1600],
    [40, 2000, 2000],
  ])(
    "begins, with %i of 40 threads running, %i to %i ms after the one before, however many wait",
    async (...row) => {
      const [threadsRunning, from, to] = row;
      const { table, clock, gaps } = guarded(() => ({ threadsRunning }));
      await clock.run(Promise.all(Array.from({ length: 6 }, () => table.findRows(["a"]))));
      expect(Math.min(...gaps())).toBeGreaterThanOrEqual(from);
      expect(Math.max(...gaps())).toBeLessThanOrEqual(to);
    },
  );

  it("in the middle of a call waits like the first, is not in flight meanwhile, and may be stopped", async () => {
    const unwell = (at: number) => (at >= 1000 && at < 6000) || at >= 20_000;
    const world = guarded((at) => ({ threadsRunning: unwell(at) ? 57 : 1 }));
    const { clock, table, began, inFlight, stop, times } = world;
    times.ms = 50;
    const underWay: number[] = [];
    const start = clock.at;
    const call = table.findRows(Array.from({ length: 1000 }, (_, n) => `image/${n}`));
    const stopped = expect(call).rejects.toMatchObject({ code: "stopped" });
    await clock
      .run(call, (at) => {
        if (at - start > 3000 && at - start < 6000) underWay.push(inFlight.count);
        if (at - start > 25_000) stop.abort();
      })
      .catch(() => {});
    await stopped;
    expect(new Set(underWay)).toEqual(new Set([0]));
    // A sample is due a second after the one before.
    expect(began.filter((at) => at > 2100 && at < 6000)).toEqual([]);
    expect(began.filter((at) => at > 21_100)).toEqual([]);
    expect(began.filter((at) => at < 1000).length).toBeGreaterThan(5);
    expect(began.filter((at) => at > 6000).length).toBeGreaterThan(50);
  });

  it("of a call that takes several waits as long as the server is above its limit", async () => {
    const { clock, table, began } = guarded((at) => ({ threadsRunning: at < 5000 ? 57 : 1 }));
    await clock.run(table.findRows(["a", "b"]));
    expect(began.length).toBe(2);
    expect(Math.min(...began)).toBeGreaterThanOrEqual(5000);
  });

  it("that took long is followed by a rest as long, and slow ones leave shorter and shorter rests behind", async () => {
    const { send, times, gaps } = guarded(() => ({}));
    times.ms = 800;
    await send(8);
    expect(Math.min(...gaps())).toBeGreaterThanOrEqual(1600);
    times.ms = 10;
    await send(30);
    const after = gaps().slice(8);
    expect(after[0]).toBeGreaterThan(300);
    for (const [nth, gap] of after.entries()) if (nth > 0) expect(gap).toBeLessThanOrEqual(after[nth - 1]!);
    expect(after.at(-1)).toBe(10);
  });

  it("that failed counts as well", async () => {
    const { clock, guard, table, stop } = guarded(() => ({}));
    const failing = new GuardedReferenceTable({
      table: {
        findRows: (_: readonly string[], limiter: StatementLimiter) =>
          limiter(async () => {
            await clock.sleep(3000);
            throw new DomainError("database_unavailable", "lost");
          }),
      } as unknown as ReferenceTable,
      ...{ clock, guard, throttler: new Throttler(clock, [guard.observe]), signal: stop.signal },
    });
    await expect(clock.run(failing.findRows(["a"]))).rejects.toThrow("lost");
    const endedAt = clock.at;
    await clock.run(table.findRows(["a"]));
    expect(clock.at).toBe(endedAt + 3000 + 10);
  });

  it("that waits follows other limits within a second", async () => {
    const { send, guard, began } = guarded(() => ({ threadsRunning: 57 }));
    await send(1, (at) => {
      if (at >= 4000) guard.setLimits({ ...LIMITS, maxThreadsRunning: 200 });
    });
    expect(began[0]).toBeGreaterThanOrEqual(4000);
    expect(began[0]).toBeLessThan(5000);
  });

  it("that waits after a long one begins within a second when the guard is removed", async () => {
    const { send, guard, began, times, asked } = guarded(() => ({}));
    times.ms = 20_000;
    await send();
    await send(1, (at) => {
      if (at >= 24_000) guard.setLimits(null);
    });
    expect(began[1]).toBeGreaterThanOrEqual(24_000);
    expect(began[1]).toBeLessThan(25_000);
    const looks = asked.length;
    times.ms = 10;
    await send(500);
    expect(asked).toHaveLength(looks);
  });

  it.each([
    ["for the database to get well", 57],
    ["for its turn", 40],
  ])("that waits %s is refused when the job stops", async (_, threadsRunning) => {
    const { send, stop, began } = guarded(() => ({ threadsRunning }));
    const refused = send(10, (at) => {
      if (at >= 3000) stop.abort();
    });
    await expect(refused).rejects.toMatchObject({ code: "stopped" });
    expect(began.every((at) => at <= 3000)).toBe(true);
  });

  it("does not begin while a database has stopped answering, and does when it answers again", async () => {
    const silent = new DomainError("database_unavailable", "no route to host");
    const { send, clock, began } = guarded((at) => (at > 500 && at < 20_000 ? silent : {}));
    expect(await send()).toEqual([]);
    clock.at += 4000;
    expect(await send()).toEqual([]);
    clock.at += 4000;
    expect(await send()).toContain(
      'database "app": it has not answered a question for its health for 9 s (no route to host)',
    );
    expect(began.map((at) => Math.floor(at / 1000))).toEqual([0, 4, 20]);
  });

  it("is decided on a sample of now, not on that of the statement before", async () => {
    const { send, clock, began } = guarded((at) => ({ threadsRunning: at > 1500 && at < 6000 ? 57 : 1 }));
    await send();
    clock.at += 2000;
    await send();
    expect(began[1]).toBeGreaterThanOrEqual(6000);
  });

  it("waits for the first sample, and shows that as a reason when it takes long", async () => {
    const { send, began, looks, clock } = guarded((at) => clock.sleep(20_000 - at).then(() => ({})));
    expect((await send())[0]).toBe('database "app": nothing is known of its health yet');
    expect(looks.length).toBeGreaterThan(1);
    expect(began[0]).toBeGreaterThanOrEqual(20_000);
  });

  it("does not wait for an operator's question", async () => {
    const { table, clock, began } = guarded(() => ({ threadsRunning: 57 }));
    await clock.run(table.ping());
    expect(began).toEqual([0]);
  });
});

describe("samples of the health", () => {
  it("are taken at most once a second, and only while statements are asked for", async () => {
    const { send, clock, looks } = guarded(() => ({ threadsRunning: 20 }));
    await send(1000);
    const before = looks.length;
    expect(before).toBeGreaterThanOrEqual(9);
    for (const [nth, at] of looks.entries())
      if (nth > 0) expect(at - looks[nth - 1]!).toBeGreaterThanOrEqual(1000);
    await clock.run(clock.sleep(3_600_000));
    expect(looks).toHaveLength(before);
  });

  it("do not pile up at a database that does not answer", () => {
    const { guard, clock, looks } = guarded(() => new Promise(() => {}));
    for (let nth = 0; nth < 100; nth += 1) {
      guard.observe();
      clock.at += 250;
    }
    expect(looks).toEqual([0]);
  });

  it("go on after the clock was set back", async () => {
    const { send, clock, looks, began } = guarded(() => ({ threadsRunning: 40 }));
    await send(2);
    clock.at -= 3_600_000;
    await send(2);
    expect(looks.at(-1)).toBeLessThan(0);
    expect(began.at(-1)).toBeLessThan(-3_590_000);
  });

  it("ask for the lag only where it has a limit, and at once when it gets one", async () => {
    const { send, guard, asked } = guarded(() => ({}), { maxReplicaLagSeconds: null });
    await send();
    guard.setLimits(LIMITS);
    await send();
    expect(asked).toEqual([false, true]);
  });

  it("report a missing right once, whatever the limits do about it", async () => {
    const { send, reported, clock } = guarded(() => FORBIDDEN, { onUnknown: "go" });
    for (let nth = 0; nth < 5; nth += 1) {
      await send();
      clock.at += 2000;
    }
    expect(reported).toEqual([MISSING]);
  });
});
