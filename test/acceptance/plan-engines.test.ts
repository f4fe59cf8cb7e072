/** `tranship plan` compares the engines, where there is a choice. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AWS_SECTION } from "../support/aws-settings.ts";
import { openSandboxWorld, type Pair, type SandboxWorld } from "../support/worlds/sandbox-world.ts";
import { imageKeys } from "../support/worlds/workbench.ts";

let world: SandboxWorld;
let pair: Pair;
let config: string;

beforeAll(async () => {
  world = await openSandboxWorld();
  pair = world.buckets("plan", imageKeys(1500));
  const endpoints = { s3control: "http://s3-control.test", dynamodb: "http://dynamodb.test" };
  const { main } = world;
  config = world.file(
    "engines.json",
    world.config({
      stores: {
        main,
        priced: { ...main, aws: { prices: { copyMillion: 1000 } } },
        compatible: { ...main, aws: { ...AWS_SECTION, endpoints } },
      },
    }),
  );
});
afterAll(() => world.close());

async function plan(store: string, more: object = {}, args: readonly string[] = ["--json"]) {
  const places = { source: { ...pair.source, store }, target: { ...pair.target, store } };
  const job = world.file("job.json", { ...places, ...more });
  return world.tranship(["plan", job, "--config", config, ...args]);
}
async function reportOf(store: string, more: object = {}) {
  const { end, stdout } = await plan(store, more);
  return { end, report: JSON.parse(stdout) };
}

describe("tranship plan --json", () => {
  it("has the service alone on a store that is not AWS, at no known price", async () => {
    const { end, report } = await reportOf("main");
    expect(end).toBe(0);
    expect(report.engines).toEqual([
      {
        ...{ name: "service", seconds: 2, dollars: null, boundBy: "concurrency", chosen: true },
        why: "the only engine for a store that is not AWS",
      },
    ]);
    expect(report.estimatedSeconds).toBe(2);
  });

  it("has time, cost, bound and reason of each engine where the store has a section for AWS", async () => {
    const { report } = await reportOf("compatible");
    expect(report.engines.map(({ name }: { name: string }) => name)).toEqual([
      "service",
      "lambda",
      "lambda-copy-log",
    ]);
    const [service, lambda, copyLog] = report.engines;
    expect(service).toMatchObject({ chosen: true, boundBy: "concurrency" });
    // The fee of one Batch Operations job, for 1,500 objects.
    expect(lambda.dollars - service.dollars).toBeCloseTo(0.25 + 1500 * 1.7e-6, 3);
    expect(copyLog.dollars).toBeGreaterThan(lambda.dollars);
    for (const { chosen, why } of [lambda, copyLog]) {
      expect(chosen).toBe(false);
      expect(why).toMatch(/^costs \$\d\.\d\d more and is no faster than service/);
    }
    expect(report.prices).toBe("AWS list prices of us-east-1, November 2026");
    expect(report.estimatedCostUsd).toBe(service.dollars);
  });

  it("counts with the prices of the configuration", async () => {
    const { report } = await reportOf("priced");
    expect(report.engines[0].dollars).toBeCloseTo(1.5, 1);
    expect(report.prices).toMatch(/from the configuration: copyMillion$/);
  });

  it("counts a job whose engine does not fit, and says why it cannot be", async () => {
    const { end, report } = await reportOf("compatible", {
      engine: "lambda",
      limits: { bytesPerSecond: 1000 },
    });
    expect(end).toBe(2);
    expect(report).toMatchObject({ ok: false, objects: 1500 });
    expect(report.problems.map(({ code }: { code: string }) => code)).toEqual(["engine_limit"]);
    expect(report.engines[1].why).toMatch(/^cannot do this job: /);
    expect(report.estimatedCostUsd).toBe(report.engines[1].dollars);
  });

  it("has none where nothing was counted", async () => {
    const { end, report } = await reportOf("nowhere");
    expect(end).toBe(2);
    expect(report).toMatchObject({ objects: 0, engines: [], estimatedSeconds: 0, estimatedCostUsd: 0 });
  });
});

describe("tranship plan", () => {
  it("shows them as a table", async () => {
    const { stdout } = await plan("compatible", {}, []);
    expect(stdout).toMatch(
      /\n {5}engine +at least +cost +bound by\n {2}\* {2}service +2s +\$0\.01 +limits\.concurrency\n/,
    );
    expect(stdout).toMatch(/\n {2}lambda: costs \$\d\.\d\d more and is no faster than service/);
  });
});
