/** Time, cost and bound of the engines: a worked example, what can never be, and the choice. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AwsPrices, LIST_PRICES, pricesText } from "../../../src/domain/engines/aws-prices.ts";
import { chosenEngine, type EngineCandidate, reasonFor } from "../../../src/domain/engines/engine-choice.ts";
import {
  consignmentsOf,
  type EngineEstimate,
  type EngineWork,
  engineEstimates,
  requestDollars,
} from "../../../src/domain/engines/engine-costs.ts";

/** Small objects at AWS without a limit of their own, five listings for a thousand. */
function work(objects: number, change: Partial<EngineWork> = {}): EngineWork {
  return {
    objects,
    bytes: objects * 1000,
    requests: { list: Math.ceil(objects / 1000) * 5, copy: objects, head: 0 },
    limits: { concurrency: 4096, requestsPerSecond: null, bytesPerSecond: null },
    prices: LIST_PRICES,
    objections: { lambda: null, "lambda-copy-log": null },
    ...change,
  };
}

const limited = (limits: Partial<EngineWork["limits"]>) => ({ limits: { ...work(1).limits, ...limits } });
const dollarsOf = (given: EngineWork) => engineEstimates(given).map(({ dollars }) => dollars ?? Number.NaN);
const boundsOf = (given: EngineWork) =>
  engineEstimates(given).map(({ seconds, boundBy }) => [seconds, boundBy] as const);

describe("the cost, for the worked example of docs/aws/choosing.md", () => {
  it("of a million objects", () => {
    const [service, lambda, copyLog] = dollarsOf(work(1_000_000));
    // 5 copies and 0.025 listings; 1.75 Batch Operations, 0.70 function 1; 0.05 its longer time, 1.95 table, 0.49 events.
    expect(service).toBe(5.025);
    expect(lambda).toBeCloseTo(5.025 + 1.75 + 0.2 + 0.5, 3);
    expect(copyLog).toBeCloseTo(5.025 + 1.75 + 0.2 + 0.55 + 1.95 + 0.48 + 0.0103, 3);
    expect([service, lambda, copyLog].map((dollars) => dollars?.toFixed(1))).toEqual(["5.0", "7.5", "10.0"]);
  });

  it("of five million", () => {
    expect(dollarsOf(work(5_000_000)).map(Math.round)).toEqual([25, 35, 48]);
  });

  it("counts the fee of each Batch Operations job, and small remainders as the service's", () => {
    expect(consignmentsOf(999)).toEqual({ jobs: 0, copies: 0 });
    expect(consignmentsOf(1000)).toEqual({ jobs: 1, copies: 1000 });
    expect(consignmentsOf(10_999)).toEqual({ jobs: 1, copies: 10_000 });
    expect(consignmentsOf(11_000)).toEqual({ jobs: 2, copies: 11_000 });
    expect(consignmentsOf(1_000_000)).toEqual({ jobs: 3, copies: 1_000_000 });
    expect(consignmentsOf(5_000_000)).toEqual({ jobs: 7, copies: 5_000_000 });
  });

  it("of fewer objects than go to AWS is that of the service", () => {
    const [service, lambda, copyLog] = dollarsOf(work(999));
    expect([lambda, copyLog]).toEqual([service, service]);
  });

  it("of looks is counted, by the prices of the configuration where they are given", () => {
    expect(requestDollars({ list: 0, copy: 0, head: 1_000_000 }, LIST_PRICES)).toBe(0.4);
    const free: AwsPrices = { ...LIST_PRICES, batchJob: 0, batchObjectMillion: 0 };
    const [, dear = 0] = dollarsOf(work(1_000_000));
    const [, cheap = 0] = dollarsOf(work(1_000_000, { prices: free }));
    expect(dear - cheap).toBeCloseTo(1.75, 4);
  });
});

describe("the time, and its bound", () => {
  it("is that of a new prefix for all, and of a new table", () => {
    expect(boundsOf(work(1_000_000))).toEqual([
      [286, "prefix"],
      [286, "prefix"],
      [500, "table"],
    ]);
  });

  it.each<[string, Partial<EngineWork>, [number, string][]]>([
    [
      "the default concurrency",
      limited({ concurrency: 128 }),
      [
        [1172, "concurrency"],
        [1172, "concurrency"],
        [1290, "concurrency"],
      ],
    ],
    [
      "a rate",
      limited({ requestsPerSecond: 100 }),
      [
        [10_000, "requestsPerSecond"],
        [10_000, "requestsPerSecond"],
        [10_000, "requestsPerSecond"],
      ],
    ],
    [
      "bytes",
      limited({ bytesPerSecond: 1e6 }),
      [
        [1000, "bytesPerSecond"],
        [1000, "bytesPerSecond"],
        [1000, "bytesPerSecond"],
      ],
    ],
  ])("is the job's limit: %s", (_, change, expected) => {
    expect(boundsOf(work(1_000_000, change))).toEqual(expected);
  });

  it("of the service elsewhere is the concurrency's, then the process's", () => {
    const elsewhere = { prices: null };
    expect(boundsOf(work(1_000_000, { ...elsewhere, ...limited({ concurrency: 150 }) }))).toEqual([
      [1000, "concurrency"],
    ]);
    expect(boundsOf(work(1_000_000, elsewhere))).toEqual([[200, "process"]]);
  });
});

describe("the choice", () => {
  it("is the service where all are as fast", () => {
    const [service, lambda, copyLog] = engineEstimates(work(1_000_000));
    expect(service).toMatchObject({ chosen: true, why: "none is faster, and none costs less" });
    expect(lambda?.why).toMatch(
      /^costs \$2\.45 more and is no faster than service; take it to copy while no machine/,
    );
    expect(copyLog?.why).toMatch(/^costs \$4\.94 more and takes 214 s longer than service;/);
  });

  it("tells why an engine cannot do the job", () => {
    const objections = { lambda: "/engine: not here", "lambda-copy-log": "/engine: not here" };
    const [service, lambda] = engineEstimates(work(1_000_000, { objections }));
    expect(service?.why).toBe("the only engine that can do this job");
    expect(lambda?.why).toBe("cannot do this job: /engine: not here");
  });

  it("is not made, nor priced, where the store is not AWS", () => {
    const [only, ...others] = engineEstimates(work(10, { prices: null }));
    expect(only).toMatchObject({ name: "service", dollars: null, chosen: true });
    expect(only?.why).toBe("the only engine for a store that is not AWS");
    expect(others).toEqual([]);
  });

  it.each<[string, [seconds: number, dollars: number][], string]>([
    [
      "the cheapest of those about as fast",
      [
        [140, 1],
        [100, 2],
      ],
      "service",
    ],
    [
      "the fastest where the cheaper one is much slower",
      [
        [151, 1],
        [100, 2],
      ],
      "lambda",
    ],
    [
      "the earlier of equals",
      [
        [100, 1],
        [100, 1],
      ],
      "service",
    ],
  ])("is %s", (_, [first, second], name) => {
    const candidate = (which: "service" | "lambda", [seconds, dollars] = [0, 0]): EngineCandidate => ({
      ...{ name: which, seconds, dollars, objection: null },
    });
    const all = [candidate("service", first), candidate("lambda", second)];
    const chosen = chosenEngine(all);
    expect(chosen.name).toBe(name);
    expect(reasonFor(chosen, chosen, all)).toMatch(/^(costs the least|none is faster)/);
  });
});

it("an engine that cannot do the job is not chosen for being cheaper", () => {
  const able = { name: "service", seconds: 100, dollars: 2, objection: null } as const;
  expect(chosenEngine([able, { ...able, name: "lambda", dollars: 1, objection: "no" }])).toBe(able);
});

describe("whatever the job", () => {
  const count = fc.integer({ min: 0, max: 50_000_000 });
  const rate = fc.option(fc.double({ min: 0.01, max: 1e6, noNaN: true }));
  const price = fc.double({ min: 0, max: 100, noNaN: true });
  const prices = fc.record(
    Object.fromEntries(Object.keys(LIST_PRICES).map((name) => [name, price])),
  ) as fc.Arbitrary<AwsPrices>;
  const limits = fc.record({
    concurrency: fc.integer({ min: 1, max: 4096 }),
    requestsPerSecond: rate,
    bytesPerSecond: rate,
  });
  const byName = (estimates: readonly EngineEstimate[]) =>
    new Map(estimates.map((each) => [each.name, each]));

  it("no sum is negative, and one engine is chosen, of those that can do it", () => {
    fc.assert(
      fc.property(count, limits, prices, fc.boolean(), (objects, its, theirs, isUnfit) => {
        const objections = { lambda: isUnfit ? "no" : null, "lambda-copy-log": "no" };
        const estimates = engineEstimates(work(objects, { limits: its, prices: theirs, objections }));
        for (const { seconds, dollars } of estimates) {
          expect(seconds).toBeGreaterThanOrEqual(0);
          expect(Number.isSafeInteger(seconds)).toBe(true);
          expect(dollars).toBeGreaterThanOrEqual(0);
        }
        const chosen = estimates.filter((estimate) => estimate.chosen).map(({ name }) => name);
        expect(chosen).toHaveLength(1);
        expect(chosen).not.toContain("lambda-copy-log");
        if (isUnfit) expect(chosen).toEqual(["service"]);
      }),
    );
  });

  it("more objects take no less time and money, and no engine costs less than the service", () => {
    fc.assert(
      fc.property(count, count, limits, prices, (a, b, its, theirs) => {
        const more = { limits: its, prices: theirs };
        const few = byName(engineEstimates(work(Math.min(a, b), more)));
        const many = byName(engineEstimates(work(Math.max(a, b), more)));
        for (const [name, estimate] of few) {
          expect(many.get(name)?.seconds).toBeGreaterThanOrEqual(estimate.seconds);
          expect(many.get(name)?.dollars).toBeGreaterThanOrEqual(estimate.dollars ?? 0);
          expect(estimate.dollars).toBeGreaterThanOrEqual(few.get("service")?.dollars ?? 0);
        }
      }),
    );
  });

  it("wider limits take no more time", () => {
    fc.assert(
      fc.property(count, limits, fc.integer({ min: 0, max: 4096 }), (objects, narrow, wider) => {
        const wide = {
          concurrency: narrow.concurrency + wider,
          requestsPerSecond: null,
          bytesPerSecond: null,
        };
        const slow = byName(engineEstimates(work(objects, { limits: narrow })));
        for (const { name, seconds } of engineEstimates(work(objects, { limits: wide })))
          expect(seconds).toBeLessThanOrEqual(slow.get(name)?.seconds ?? 0);
      }),
    );
  });
});

it("prices say where and when they were read, and which are the operator's own", () => {
  expect(pricesText({})).toBe("AWS list prices of us-east-1, November 2026");
  expect(pricesText({ copyMillion: 5.4, batchJob: 0 })).toMatch(
    /; from the configuration: batchJob, copyMillion$/,
  );
});
