/** What keeps an engine on AWS from doing a job, found without calling AWS. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type EngineStore,
  engineFaults,
  type KnownEngines,
} from "../../../src/domain/engines/engine-faults.ts";
import type { JobSpec, Windows } from "../../../src/domain/job-spec.ts";
import { encodeTerms, MOST_ARGUMENT_CHARACTERS } from "../../../src/engines/aws/user-arguments.ts";
import { AWS_SETTINGS } from "../../support/aws-settings.ts";
import { AVATARS } from "../../support/job-spec.ts";

const AWS: EngineStore = {
  ...{ isAws: true, settings: AWS_SETTINGS, prices: {} },
  ...{ requestsPerSecond: null, bytesPerSecond: null },
};
const SPEC: JobSpec = { ...AVATARS, engine: "lambda", lambda: { updates: "service" } };
const known = (main: Partial<EngineStore> = {}): KnownEngines => ({
  available: ["lambda", "lambda-copy-log"],
  store: (name) => (name === "main" ? { ...AWS, ...main } : null),
});
const endpoints = (given: object) => ({ isAws: false, settings: { ...AWS_SETTINGS, endpoints: given } });

function told(change: Partial<JobSpec>, store: Partial<EngineStore> = {}): [string, string | undefined][] {
  const faults = engineFaults({ ...SPEC, ...change }, known(store));
  return faults.map(({ pointer, code }) => [pointer, code]);
}

/** Of so many tables. */
function references(count: number): JobSpec["references"] {
  return Array.from({ length: count }, (_, n) => {
    const names = { database: "app", table: `pictures_${n}`, key: "id", column: "path" };
    return { ...names, urlPrefix: null, where: { kind: "avatar" }, set: {}, keepUpdatedAt: true };
  });
}

describe("an engine on AWS", () => {
  it.each<[string, Partial<JobSpec>, Partial<EngineStore>]>([
    ["on AWS with its section", {}, {}],
    ["with the table", { engine: "lambda-copy-log" }, {}],
    ["on a compatible service", {}, endpoints({ s3control: "http://x" })],
    [
      "on a compatible service with a table",
      { engine: "lambda-copy-log" },
      endpoints({ s3control: "http://x", dynamodb: "http://y" }),
    ],
    ["with a rate", { limits: { ...AVATARS.limits, requestsPerSecond: 500 } }, {}],
    ["with rows a second that the service holds", { limits: { ...AVATARS.limits, rowsPerSecond: 5 } }, {}],
    ["in windows of other stages", { windows: windows({ stages: ["update", "delete"] }) }, {}],
    [
      "with a source that is called like the manifests",
      { source: { ...AVATARS.source, prefix: "tran" } },
      {},
    ],
    [
      "whose functions update rows in its windows",
      { lambda: { updates: "function" }, windows: windows({ stages: ["copy", "update"] }) },
      {},
    ],
    ["with manifests beside the source", { source: { ...AVATARS.source, bucket: "ops" } }, {}],
    ["whose functions update rows", { lambda: { updates: "function" }, references: references(2) }, {}],
    [
      "whose functions find many tables in the table",
      { engine: "lambda-copy-log", lambda: { updates: "function" }, references: references(12) },
      {},
    ],
    ["of many tables that the service updates", { references: references(12) }, {}],
  ])("may do a job %s", (_, change, store) => {
    expect(told(change, store)).toEqual([]);
  });

  it.each<[string, Partial<JobSpec>, Partial<EngineStore>, [string, string?][]]>([
    ["on a store without its section", {}, { settings: null }, [["/engine", "engine_not_configured"]]],
    ["on another store", {}, { isAws: false, settings: null }, [["/engine", "engine_store_not_aws"]]],
    ["on another store without endpoints", {}, { isAws: false }, [["/engine", "engine_store_not_aws"]]],
    [
      "on a compatible service whose table would be sought at AWS",
      { engine: "lambda-copy-log" },
      endpoints({ s3control: "http://x" }),
      [["/engine", "engine_store_not_aws"]],
    ],
    [
      "from one store to another",
      { target: { ...AVATARS.target, store: "second" } },
      {},
      [["/target/store", "engine_two_stores"]],
    ],
    [
      "with manifests under the source prefix",
      { source: { ...AVATARS.source, bucket: "ops", prefix: "tran" } },
      {},
      [["/source/prefix", "engine_manifests_in_source"]],
    ],
    [
      "with manifests in the whole bucket that is moved",
      { source: { ...AVATARS.source, bucket: "ops", prefix: "" } },
      {},
      [["/source/prefix", "engine_manifests_in_source"]],
    ],
    [
      "with long prefixes",
      {
        source: { ...AVATARS.source, prefix: "a".repeat(1025) },
        target: { ...AVATARS.target, prefix: "ü".repeat(171) },
      },
      {},
      [
        ["/source/prefix", "engine_argument_too_long"],
        ["/target/prefix", "engine_argument_too_long"],
      ],
    ],
    [
      "whose functions would be told of more tables than fit",
      { lambda: { updates: "function" }, references: references(12) },
      {},
      [["/references", "engine_argument_too_long"]],
    ],
    [
      "with a limit of bytes",
      limits({ bytesPerSecond: 1e9 }),
      {},
      [["/limits/bytesPerSecond", "engine_limit"]],
    ],
    [
      "with a limit of bytes in a window",
      { windows: windowLimits({ bytesPerSecond: 5 }) },
      {},
      [["/windows/open/0/limits/bytesPerSecond", "engine_limit"]],
    ],
    [
      "slower than its functions can wait",
      limits({ concurrency: 61, requestsPerSecond: 2 }),
      {},
      [["/limits/requestsPerSecond", "engine_limit"]],
    ],
    [
      "slower than its functions can wait in a window",
      { ...limits({ concurrency: 60, requestsPerSecond: 2 }), windows: windowLimits({ concurrency: 61 }) },
      {},
      [["/windows/open/0/limits/requestsPerSecond", "engine_limit"]],
    ],
    [
      "on a store with shared limits",
      {},
      { requestsPerSecond: 1000, bytesPerSecond: 1e9 },
      [
        ["/engine", "engine_limit"],
        ["/engine", "engine_limit"],
      ],
    ],
    [
      "whose functions update rows, with limits that only the service holds",
      {
        ...limits({ rowsPerSecond: 100 }),
        lambda: { updates: "function" },
        onConflict: "overwrite",
        windows: { ...windowLimits({ rowsPerSecond: 5 }), stages: ["update"] },
        guards: {
          database: { maxThreadsRunning: 9, maxReplicaLagSeconds: 1, maxLockWaits: 1, onUnknown: "hold" },
          maxExceptionRatio: null,
        },
      },
      {},
      [
        ["/limits/rowsPerSecond", "engine_limit"],
        ["/windows/open/0/limits/rowsPerSecond", "engine_limit"],
        ["/onConflict", "engine_limit"],
        ["/guards/database/maxReplicaLagSeconds", "engine_limit"],
        ["/guards/database/maxLockWaits", "engine_limit"],
        ["/windows/stages", "engine_limit"],
      ],
    ],
  ])("is refused %s", (_, change, store, expected) => {
    expect(told(change, store)).toEqual(expected);
  });

  it("that this version does not have is refused, whatever else fits", () => {
    const without: KnownEngines = { ...known(), available: ["lambda-copy-log"] };
    expect(engineFaults(SPEC, without)).toEqual([
      {
        pointer: "/engine",
        message: 'the engine "lambda" is not available here: this version has "service", "lambda-copy-log"',
        code: "not_available",
      },
    ]);
    expect(engineFaults({ ...SPEC, engine: "lambda-copy-log" }, without)).toEqual([]);
  });

  it("says what would be right", () => {
    const message = (change: Partial<JobSpec>, store: Partial<EngineStore> = {}) =>
      engineFaults({ ...SPEC, ...change }, known(store))[0]?.message;
    expect(message({}, { settings: null })).toMatch(/accountId, copyFunction.*in stores\.main\.aws/);
    expect(message({}, endpoints({ lambda: "http://x" }))).toMatch(
      /needs stores\.main\.aws\.endpoints\.s3control$/,
    );
    expect(message(limits({ concurrency: 128, requestsPerSecond: 2 }))).toMatch(/64 s.*concurrency to 60$/);
    expect(message(limits({ concurrency: 128, requestsPerSecond: 0.01 }))).toMatch(/raise it$/);
    expect(message({}, { bytesPerSecond: 5 })).toMatch(/stores\.main\.limits\.bytesPerSecond/);
  });
});

describe("the engine service", () => {
  const plain = { ...AVATARS, limits: { ...AVATARS.limits, bytesPerSecond: 5 } };
  it("needs nothing of all that", () => {
    expect(engineFaults(plain, { available: [], store: () => null })).toEqual([]);
  });

  it("has no settings of functions", () => {
    const faults = engineFaults({ ...plain, lambda: { updates: "service" } }, known());
    expect(faults.map(({ pointer }) => pointer)).toEqual(["/lambda"]);
  });
});

it("a prefix is refused exactly when the engine's own encoding of it is longer than an argument", () => {
  const longest = fc.integer({ min: 1000, max: 1030 });
  const tail = fc.string({ unit: "binary", maxLength: 8 });
  fc.assert(
    fc.property(longest, tail, (length, end) => {
      const prefix = "a".repeat(length) + end.toWellFormed();
      const isLong = told({ target: { ...AVATARS.target, prefix } }).length > 0;
      const terms = {
        token: "t",
        sourceBucket: "a",
        sourcePrefix: "",
        targetBucket: "b",
        targetPrefix: prefix,
      };
      const { targetPrefix = "" } = encodeTerms({
        ...terms,
        ...{ notAfter: null, leastMs: 0, copyLogs: null, updates: null },
      });
      expect(isLong).toBe(targetPrefix.length > MOST_ARGUMENT_CHARACTERS);
    }),
  );
});

function limits(change: Partial<JobSpec["limits"]>): Partial<JobSpec> {
  return { limits: { ...AVATARS.limits, ...change } };
}

function windows(change: Partial<Windows>): Windows {
  const open = [{ days: ["mon"] as const, from: "22:00", to: "06:00", limits: null }];
  return { timezone: "Africa/Cairo", open, closed: [], stages: ["copy", "update", "delete"], ...change };
}

function windowLimits(given: Partial<JobSpec["limits"]>): Windows {
  return windows({ open: [{ days: ["mon"], from: "22:00", to: "06:00", limits: given }] });
}
