/**
 * The engine `lambda` killed at each of its steps to the outside, before and after the step's effect, and carried on by a
 * process that knows only what was saved: one job, each copy asked for once, every result given.
 */

import { afterEach, describe, expect, it } from "vitest";
import type { BatchVariations } from "../../support/aws/batch-variations.ts";
import { type CarryTerms, ConsignmentWorld, Life } from "../../support/aws/consignment-world.ts";

const NAMES = ["a b", "c+d", "e"];

let world: ConsignmentWorld;
afterEach(() => world.close());

/** Runs until the `endsAt`-th step, then again without a kill. Gives whether the first run was killed. */
async function killedAt(
  endsAt: number,
  when: "before" | "after",
  variations: Partial<BatchVariations> = {},
  terms: CarryTerms = {},
) {
  world = await ConsignmentWorld.start({ preparingMs: 20, reportDelayMs: 20, ...variations });
  world.seed(NAMES);
  const given = world.given();
  const life = new Life(endsAt, when);
  const first = await world.carry(given, {}, { ...terms, life }).catch((error: unknown) => error);
  if (!life.isOver) return { given, wasKilled: false };
  expect(first).toBeInstanceOf(Error);
  // Limits have changed meanwhile, so that the request is not the same in every byte.
  const limits = { concurrency: 8, requestsPerSecond: variations.unlistedMs === undefined ? null : 1_000 };
  const end = await world.carry(given, { limits }, terms);
  expect(end).toEqual({ kind: "ended" });
  return { given, wasKilled: true };
}

function expectCopiedOnce(results: ReadonlyMap<number, unknown>) {
  expect(world.control.jobs).toHaveLength(1);
  expect([...world.asked.values()]).toEqual(NAMES.map(() => 1));
  expect(world.store.countObjects("B")).toBe(NAMES.length);
  expect(results.size).toBe(NAMES.length);
}

describe.each(["before", "after"] as const)("killed %s the effect of a step", (when) => {
  it.each([
    ["with a token that S3 remembers", {}],
    ["with a token that S3 has forgotten", { tokenMemoryMs: 0 }],
    ["while S3 lists the job late, and arguments have changed", { unlistedMs: 150, unknownMs: 100 }],
  ] as const)("%s: one job, each copy once", async (_, variations) => {
    let kills = 0;
    for (let step = 1; ; step++) {
      const { given, wasKilled } = await killedAt(step, when, variations);
      expectCopiedOnce(given.results);
      if (!wasKilled) break;
      kills += 1;
      await world.close();
    }
    // Three pages of copies twice, manifest, two saves, creation, looks at the job, five reads of the report, three results.
    expect(kills).toBeGreaterThan(18);
  });
});

it("a large manifest that was cut off by a kill is written again, with the same ETag", async () => {
  world = await ConsignmentWorld.start();
  world.seed(NAMES);
  const given = world.given();
  const many = {
    async *copies() {
      for (let round = 0; round < 40_000; round++) yield* world.copies;
    },
  };
  const settings = { partBytes: 5 * 2 ** 20 };
  // The upload's creation and the first of two parts.
  await expect(world.carry(given, many, { settings, life: new Life(2, "after") })).rejects.toThrow();
  expect(given.saved).toEqual([]);
  const stop = new AbortController();
  const saving = {
    ...many,
    save: async (progress: string) => {
      given.saved.push(progress);
      stop.abort();
    },
  };
  await expect(world.carry(given, saving, { settings, signal: stop.signal })).rejects.toMatchObject({
    code: "stopped",
  });
  const [saved] = given.saved;
  const manifest = world.store.getObject("ops", "tranship/job-1/1/manifest.csv");
  expect(JSON.parse(saved!)).toMatchObject({
    stage: "manifest",
    manifest: { etag: manifest?.etag, rows: 120_000 },
  });
  expect(manifest?.serverSideEncryption).toBe("AES256");
  expect(manifest?.read().toString().split("\n")).toHaveLength(120_001);
});

it("progress that another version saved is refused, and nothing is sent", async () => {
  world = await ConsignmentWorld.start();
  world.seed(NAMES);
  for (const progress of ['{"v":2,"stage":"job"}', "no json", '{"v":1,"stage":"later"}', "null"]) {
    const given = world.given();
    given.saved.push(progress);
    await expect(world.carry(given)).rejects.toMatchObject({ code: "engine_refused" });
  }
  expect(world.control.requests).toEqual({ CreateJob: 0, DescribeJob: 0, ListJobs: 0, UpdateJobStatus: 0 });
});

it("recalled after a kill that leaves open whether the job exists: the job is found and cancelled", async () => {
  for (const [when, variations] of [
    ["after", {}],
    ["after", { tokenMemoryMs: 0 }],
    ["before", {}],
  ] as const) {
    world = await ConsignmentWorld.start({ preparingMs: 300, ...variations });
    world.seed(NAMES);
    const given = world.given();
    // Three copies, the manifest, the save; the sixth step is CreateJob.
    await expect(world.carry(given, {}, { life: new Life(6, when) })).rejects.toThrow();
    expect(world.control.jobs).toHaveLength(when === "after" ? 1 : 0);
    expect(await world.carry(given, { recall: AbortSignal.abort() })).toEqual({ kind: "recalled" });
    expect(world.control.jobs.map(({ status }) => status)).toEqual(["Cancelled"]);
    expect(world.asked.size).toBe(0);
    await world.close();
  }
});
