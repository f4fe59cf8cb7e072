/** Limits as the store sees them: never more than 5 % above in any second, at least 95 % used, shared fairly between jobs. */

import { afterEach, describe, expect, it } from "vitest";
import { canonicalJson } from "../../src/domain/canonical-json.ts";
import { Scheduler } from "../../src/jobs/run/scheduler.ts";
import type { Connections } from "../../src/ports/connections.ts";
import type { DeletionTerms, ObjectStore, WriteLimiter } from "../../src/ports/object-store.ts";
import { type Arrival, mostInASecond, noteArrivals, noteStalls, type Stalls } from "../support/arrivals.ts";
import { fillStore, imageKeys, openWorkbench, type Workbench } from "../support/worlds/workbench.ts";

let bench: Workbench;
let stalls: Stalls;
afterEach(async () => {
  stalls.end();
  await bench.close();
});

const BUCKETS = ["bucket-a", "bucket-b", "bucket-c", "bucket-d"].map((name) => ({ name }));
/** A job's beginning is slower: it lists, connections are opened, and its limit begins with 80 %. */
const START_MS = 1000;
const SILENT = { info() {}, warn() {}, error() {} };

interface Traffic {
  readonly arrivals: Arrival[];
  /** When Tranship let each request go; between that and its arrival are the network and a busy machine. */
  readonly sent: number[];
  /** Arrivals that came before the job's own. */
  looks: number;
  readonly work: (id: string) => Promise<unknown>;
}

/** A store that answers after 20 ms, and what goes to it. */
async function openSlowStore(
  objects: number,
  connect: Record<string, object> = {},
  store = {},
): Promise<Traffic> {
  bench = await openWorkbench({ store: { buckets: BUCKETS, ...store }, connect });
  const keys = imageKeys(objects);
  for (const bucket of ["bucket-a", "bucket-c"]) fillStore(bench.store, bucket, keys);
  bench.addRows(keys);
  bench.store.faults.latencyMs = 20;
  stalls = noteStalls();
  const sent: number[] = [];
  const connections = notingConnections(bench.parts.connections, () => sent.push(performance.now()));
  const scheduler = new Scheduler({ ...bench.parts, connections }, "noted", SILENT);
  const arrivals = noteArrivals(bench.store, () => performance.now());
  return { arrivals, sent, looks: 0, work: (id) => scheduler.runNow(id) };
}

const REQUESTS: readonly PropertyKey[] = ["list", "head", "copy", "deleteObjects"];

/** `connections`, whose stores tell of each request before it goes. */
function notingConnections(connections: Connections, note: () => void): Connections {
  const noting = (store: ObjectStore): ObjectStore =>
    new Proxy(store, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== "function") return member;
        const method = member.bind(target) as (...args: readonly unknown[]) => unknown;
        if (!REQUESTS.includes(name)) return method;
        return (...args: readonly unknown[]) => {
          note();
          return method(...args.map((argument) => notingCalls(argument, note)));
        };
      },
    });
  return { ...connections, store: (name, counts) => noting(connections.store(name, counts)) };
}

/** `argument`; if it is a limiter of additional requests, or has one, `note` is called before each such request. */
function notingCalls(argument: unknown, note: () => void): unknown {
  if (typeof argument === "function") {
    const limiter = argument as WriteLimiter;
    const noting: WriteLimiter = (writes, attempt, signal, terms) => {
      const noted = () => {
        note();
        return attempt();
      };
      return limiter(writes, noted, signal, terms);
    };
    return noting;
  }
  const { limiter } = (argument ?? {}) as DeletionTerms;
  return limiter === undefined
    ? argument
    : { ...(argument as DeletionTerms), limiter: notingCalls(limiter, note) };
}

/** Checks that `limit` was kept in every second, and used to 95 % between the two moments. */
function expectKeptAndUsed(
  { arrivals, sent, looks }: Traffic,
  limit: number,
  from: number,
  to: number,
): void {
  const times = arrivals.map(({ at }) => at);
  // Nothing comes to the store beside what was let go.
  expect(times.length).toBeLessThanOrEqual(sent.length + looks);
  const ranMs = to - from - stalls.lostIn(from, to);
  const average = (times.filter((at) => at >= from && at < to).length * 1000) / ranMs;
  const [fullest, came] = [mostInASecond(sent), mostInASecond(times)];
  console.info(
    `limit ${limit}: used ${average.toFixed(1)}, fullest second ${fullest} sent, ${came} arrived, stall ${stalls.longest().toFixed()} ms`,
  );
  // What may go at one moment goes within one turn of the event loop; a long one brings it nearer to what follows.
  expect(fullest).toBeLessThanOrEqual(limit * (1.05 + stalls.longest() / 1000));
  // At the store from the first request on, though the first wait until connections are open, and arrive bunched.
  expect(came).toBeLessThanOrEqual(limit * (1.05 + stalls.longest() / 1000));
  expect(average).toBeGreaterThanOrEqual(limit * 0.95);
}

const lastCopy = (arrivals: readonly Arrival[]) =>
  arrivals.findLast(({ operation }) => operation === "CopyObject")?.at ?? 0;

describe("a job's requestsPerSecond", () => {
  it.each([
    [300, 1050, true],
    [150, 600, true],
    [20, 70, true],
    [100, 200, false],
    [20, 35, false],
  ])("of %d is kept in every second and used to 95 %", async (limit, objects, keepsConditions) => {
    const traffic = await openSlowStore(objects, {}, { keepsConditions });
    const limits = { concurrency: 32, requestsPerSecond: limit };
    const id = await bench.submit({ batchSize: 50, limits });
    // Its submission looked at the buckets, and is in the job's first second.
    traffic.looks = traffic.arrivals.length;
    expect(traffic.looks).toBeGreaterThan(0);
    const begun = performance.now();
    await traffic.work(id);
    expect(await bench.jobs.get(id)).toMatchObject({ state: "completed", objects: { moved: objects } });
    expectKeptAndUsed(traffic, limit, begun + START_MS, lastCopy(traffic.arrivals));
  });
});

describe("the requests of a submission", () => {
  it("are counted in the job's first second, each of them", async () => {
    const { arrivals } = await openSlowStore(1);
    const id = await bench.submit({ limits: { requestsPerSecond: 20 } });
    const { source, target } = (await bench.jobs.get(id)).spec;
    const rateLimit = bench.parts.governors.preflightRateLimit(
      canonicalJson([source, target]),
      20,
      bench.parts.clock.now(),
    );
    expect(20 - rateLimit.capacityAt(Date.now())).toBe(arrivals.length);
    expect(arrivals.length).toBe(7);
  });
});

describe("a store's requestsPerSecond", () => {
  it.each([
    ["of the same kind", { delete: { when: "never" } }, { delete: { when: "never" } }],
    [
      "that do different things",
      { batchSize: 500, delete: { when: "never" } },
      { batchSize: 20, limits: { concurrency: 32 } },
    ],
  ])("is shared equally by two jobs %s", async (_, one, other) => {
    const limit = 200;
    const traffic = await openSlowStore(500, { limits: { requestsPerSecond: limit } });
    const there = {
      source: { bucket: "bucket-c", prefix: "image/" },
      target: { bucket: "bucket-d", prefix: "x/" },
    };
    const jobs = [one, { ...other, ...there }];
    const ids = await Promise.all(jobs.map((job) => bench.submit({ references: [], ...job })));
    traffic.arrivals.splice(0);
    const begun = performance.now();
    await Promise.all(ids.map(traffic.work));
    for (const id of ids) {
      expect(await bench.jobs.get(id)).toMatchObject({ state: "completed", objects: { moved: 500 } });
    }
    const isFirst = ({ bucket }: Arrival) => bucket === "bucket-a" || bucket === "bucket-b";
    const [from, to] = [
      begun + START_MS,
      Math.min(
        lastCopy(traffic.arrivals.filter(isFirst)),
        lastCopy(traffic.arrivals.filter((arrival) => !isFirst(arrival))),
      ),
    ];
    expectKeptAndUsed(traffic, limit, from, to);
    const both = traffic.arrivals.filter(({ at }) => at >= from && at < to);
    const share = both.filter(isFirst).length / both.length;
    console.info(`the first had ${share.toFixed(3)}`);
    expect(share).toBeGreaterThan(0.4);
    expect(share).toBeLessThan(0.6);
  });
});

describe("a job's bytesPerSecond", () => {
  it("are bytes of objects that are copied: never more than 5 % above the limit, and 95 % of it are used", async () => {
    const traffic = await openSlowStore(400);
    const limit = 100_000;
    // Up to 2 % of the limit each, a thousand bytes on average.
    const sizeOf = (key: string) => 100 + ((Number(/\d+/.exec(key)) * 7919) % 1801);
    for (const key of imageKeys(400)) bench.store.putObject("bucket-a", key, "x".repeat(sizeOf(key)));
    const limits = { concurrency: 16, bytesPerSecond: limit };
    const id = await bench.submit({ batchSize: 400, limits, delete: { when: "never" } });
    traffic.arrivals.splice(0);
    await traffic.work(id);
    // Not the one that finds out about conditions, onto what has just been copied, which copies nothing.
    const isKnown = new Set<string>();
    const copies = traffic.arrivals.filter(({ operation, key = "" }) => {
      if (operation !== "CopyObject" || isKnown.has(key)) return false;
      isKnown.add(key);
      return true;
    });
    expect(copies).toHaveLength(400);
    const fullest = mostInASecond(
      copies.map(({ at }) => at),
      (nth) => sizeOf(copies[nth]?.key ?? ""),
    );
    expect(fullest).toBeLessThanOrEqual(limit * (1.05 + stalls.longest() / 1000));
    // The first second is slower.
    const [from, to] = [(copies[0]?.at ?? 0) + START_MS, copies.at(-1)?.at ?? 0];
    const bytes = copies
      .filter(({ at }) => at >= from && at < to)
      .reduce((sum, { key }) => sum + sizeOf(key), 0);
    const used = (bytes * 1000) / (to - from - stalls.lostIn(from, to));
    console.info(`limit ${limit}: used ${used.toFixed()}, fullest second ${fullest}`);
    expect(used).toBeGreaterThanOrEqual(limit * 0.95);
  });
});
