/** The canary leaves nothing behind whatever fails half-way, or names what it had to leave. */

import { describe, expect, it } from "vitest";
import type { PreflightProblem } from "../../../src/jobs/preflight/preflight-report.ts";
import type { FaultRule } from "../../../src/sandbox-s3/faults/fault-rules.ts";
import { hurry } from "../../support/bystander.ts";
import { bench, benchForEach, clock } from "../../support/worlds/bench-for-each.ts";
import { imageKeys } from "../../support/worlds/workbench.ts";

const KEYS = imageKeys(3);
const JOB = {
  source: { bucket: "bucket-a", prefix: "image/" },
  target: { bucket: "bucket-b", prefix: "avatar/" },
};
const REFUSED = { type: "error", status: 400, code: "Odd", applied: true } as const;

benchForEach({ objects: KEYS });

async function fly(...rules: readonly FaultRule[]): Promise<readonly PreflightProblem[]> {
  const faults = rules.map((rule) =>
    bench.store.faults.add({ key: (key) => key.includes(".tranship-canary-"), ...rule }),
  );
  const { problems } = await bench.jobs.preflight(JOB, { canary: true });
  for (const fault of faults) expect(fault.fired).toBeGreaterThan(0);
  return problems.filter(({ code }) => code.startsWith("canary"));
}

/** Every object that is there beside the job's own, as the report names them. */
function left(): string[] {
  return ["bucket-a", "bucket-b"].flatMap((bucket) =>
    bench.store
      .listKeys(bucket)
      .filter((key) => !KEYS.includes(key))
      .map((key) => `${bucket}/${key}`),
  );
}

describe("a canary that fails half-way leaves nothing behind", () => {
  it.each([
    ["write", { operation: "PutObject", effect: REFUSED }, ["canary_failed"]],
    ["copy", { operation: "CopyObject", effect: REFUSED }, ["canary_failed"]],
    ["copy's answer", { operation: "CopyObject", times: 1, effect: { type: "reset-after" } }, []],
    [
      "first look before deleting",
      { operation: "HeadObject", bucket: "bucket-b", nth: 2, effect: { type: "access-denied" } },
      [],
    ],
    ["deletion", { operation: "DeleteObjects", times: 2, effect: { type: "reset-before" } }, []],
    [
      "deletion of a key",
      { operation: "DeleteObjects", times: 2, effect: { type: "key-error", code: "InternalError" } },
      [],
    ],
  ] as const)("when the %s fails", async (_, rule, codes) => {
    const problems = await fly(rule);
    expect(problems.map(({ code }) => code)).toEqual(codes);
    expect(left()).toEqual([]);
  });

  it("when whatever deletes is denied for half a second", async () => {
    let until = 0;
    const when = () => {
      if (until === 0) until = performance.now() + 500;
      return performance.now() < until;
    };
    const operation = ["DeleteObject", "DeleteObjects"] as const;
    expect(await fly({ operation, when, effect: { type: "access-denied" } })).toEqual([]);
    expect(left()).toEqual([]);
  });

  it("when the store does not say for half a minute what became of the copy", async () => {
    const effect = { type: "internal-error", applied: true } as const;
    await hurry(clock, fly({ operation: "CopyObject", effect }));
    expect(left()).toEqual([]);
  });
});

describe("a canary that cannot be removed is named by bucket and key", () => {
  it.each([
    ["deleting is denied", { operation: "DeleteObjects", effect: { type: "access-denied" } }],
    ["looking at it is denied", { operation: "HeadObject", effect: { type: "access-denied" } }],
  ] as const)("when %s", async (_, rule) => {
    const problems = await fly(rule);
    const leftovers = left();
    expect(leftovers.length).toBeGreaterThan(0);
    const named = problems.flatMap(({ examples }) => examples);
    for (const object of leftovers) expect(named).toContain(object);
    expect(problems.map(({ code }) => code)).toContain("canary_failed");
    for (const { message } of problems.filter(({ examples }) => examples.length > 0)) {
      expect(message).toMatch(/cannot delete from bucket-[ab]:.*\.tranship-canary-/);
    }
  });

  it("when the bucket keeps versions of what is deleted", async () => {
    bench.store.setVersioning("bucket-b", "Enabled");
    const problems = await fly();
    expect(left()).toEqual([]);
    const kept = problems.filter(({ code }) => code === "canary_version_kept");
    const versions = new Set(bench.store.listVersions("bucket-b").map(({ key }) => `bucket-b/${key}`));
    expect(versions.size).toBeGreaterThan(0);
    expect(new Set(kept.flatMap(({ examples }) => examples))).toEqual(versions);
    for (const { severity } of kept) expect(severity).toBe("warning");
  });
});
