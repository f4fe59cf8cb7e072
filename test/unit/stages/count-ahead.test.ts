/** Counting ahead of planning: the same objects that planning will find, from any position. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Relocation } from "../../../src/domain/relocation.ts";
import type { RateLimitedStore } from "../../../src/pacing/rate-limited-store.ts";
import type { ManifestKey } from "../../../src/ports/manifest-reader.ts";
import type { ReferenceTable } from "../../../src/ports/reference-table.ts";
import { countAhead } from "../../../src/stages/inventory/count-ahead.ts";
import { planBatches } from "../../../src/stages/inventory/plan.ts";
import type { PlanContext } from "../../../src/stages/stage-contexts.ts";
import { VirtualClock } from "../../support/clocks/virtual-clock.ts";
import { AVATARS } from "../../support/job-spec.ts";
import { listedBucket } from "../../support/listed-bucket.ts";
import { only } from "../../support/only.ts";

const PREFIX = "image/";

/** What counting and planning need of a context, over the keys (with a row and a record for each, in order). */
function contextOf(keys: readonly string[], spec: object, parts: Partial<PlanContext> = {}) {
  const bucket = listedBucket(keys, { page: 5 });
  const asked: (string | null)[] = [];
  const table = only<ReferenceTable>({
    async page(after, prefix, limit) {
      asked.push(after);
      const rows = keys.map((value, i) => ({ id: String(i + 1), value }));
      return rows
        .filter(({ id, value }) => Number(id) > Number(after) && value.startsWith(prefix))
        .slice(0, limit);
    },
  });
  const context = only<PlanContext>({
    spec: { ...AVATARS, batchSize: 7, ...spec },
    relocation: new Relocation(AVATARS),
    source: only<RateLimitedStore>(bucket),
    references: [{ table, urlPrefix: null }],
    manifest: {
      async *keys(_at: unknown, _bucket: string, after: number): AsyncGenerator<ManifestKey> {
        for (const [i, key] of keys.entries()) if (i + 1 > after) yield { key, record: i + 1 };
      },
    },
    clock: new VirtualClock(0, "free"),
    filter: () => true,
    signal: new AbortController().signal,
    ...parts,
  });
  return { context, bucket, asked };
}

/** The position of planning after a number of batches of a listing. */
async function plannedThrough(context: PlanContext, batches: number) {
  const planned = { cursor: "", objects: 0, bytes: 0 };
  for await (const batch of planBatches({ ...context, references: [] }, null)) {
    planned.cursor = batch.cursor;
    planned.objects += batch.objects.length;
    for (const { size } of batch.objects) planned.bytes += size;
    batches -= 1;
    if (batches <= 0) break;
  }
  return planned;
}

const FROM_BUCKET = { inventory: { from: "bucket" } };
const numbered = (count: number) =>
  Array.from({ length: count }, (_, i) => `${PREFIX}${String(i).padStart(5, "0")}`);
const at = (position: string, planned: number, bytes = 0) => ({
  cursor: JSON.stringify({ position, planned }),
  bytes,
});

describe("counting ahead", () => {
  it("finds in a bucket what passes, wherever the ranges of planning are, at few requests more", async () => {
    const name = fc.string({
      unit: fc.constantFrom("0", "7", "a", "~", "é", "\u{1f600}"),
      minLength: 1,
      maxLength: 5,
    });
    const keySets = fc.oneof(
      fc.uniqueArray(name, { minLength: 40, maxLength: 120 }),
      fc.constant(numbered(300).map((key, i) => key.slice(PREFIX.length) + "-".repeat(i % 7))),
    );
    let ranges = 0;
    await fc.assert(
      fc.asyncProperty(
        keySets,
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 3 }),
        async (names, batches, every) => {
          const keys = names.map((rest) => PREFIX + rest);
          const filter = (rest: string) => rest.length % every === 0;
          const { context, bucket } = contextOf([...keys, "image", "imagf/1"], FROM_BUCKET, { filter });
          const planned = await plannedThrough(context, batches);
          if (planned.cursor === "") return;
          const open = (JSON.parse(planned.cursor) as { ranges: unknown[] }).ranges.length;
          ranges = Math.max(ranges, open);
          const before = bucket.asked.length;
          const passing = keys.filter((key) => filter(key.slice(PREFIX.length)));
          expect(await countAhead(context, planned)).toEqual({
            objects: passing.length,
            bytes: passing.reduce((sum, key) => sum + key.length, 0),
          });
          expect(bucket.asked.length - before).toBeLessThanOrEqual(keys.length / 5 + 2 * open + 1);
        },
      ),
      { numRuns: 200 },
    );
    expect(ranges).toBeGreaterThan(4);
  });

  it("goes no further than a trial run will", async () => {
    const { context, bucket } = contextOf(numbered(500), { ...FROM_BUCKET, maxObjects: 32 });
    expect(await countAhead(context, at("image/00006", 7, 77))).toEqual({ objects: 32, bytes: 77 + 25 * 11 });
    expect(bucket.asked.length).toBe(5);
    expect(await countAhead(context, at("image/00031", 32))).toMatchObject({ objects: 32 });
    expect(bucket.asked.length).toBe(5);
  });

  it.each([
    ["leaves the database four fifths of the time", 30, 120],
    ["does not make up for a night in which a statement had to wait", 8 * 3_600_000, 10_000],
  ])("%s", async (_, statementMs, restMs) => {
    const clock = new VirtualClock(0, "free");
    const { context } = contextOf(numbered(50_000), { inventory: { from: "database" } }, { clock });
    const references = context.references.map(({ table, urlPrefix }) => {
      const slow = only<ReferenceTable>({
        page: async (...asked) => {
          clock.at += statementMs;
          return table.page(...asked);
        },
      });
      return { table: slow, urlPrefix };
    });
    await countAhead({ ...context, references }, at("0", 0));
    expect(clock.sleeps).toEqual([restMs, restMs]);
  });

  it("finds in rows what passes by its key, in statements of 20,000 rows", async () => {
    const inventory = { from: "database" };
    const filter = (rest: string, modifiedAt: number) => rest.endsWith("1") && modifiedAt < 1;
    const { context, asked } = contextOf(["other/1", ...numbered(50_000)], { inventory }, { filter });
    expect(await countAhead(context, at("11", 1))).toEqual({ objects: 5000, bytes: null });
    expect(asked).toEqual(["11", "20010", "40009"]);
    const trial = contextOf(numbered(50_000), { inventory, maxObjects: 600 });
    expect(await countAhead(trial.context, at("100", 100))).toEqual({ objects: 600, bytes: null });
    expect(trial.asked.length).toBe(1);
  });

  it("counts rows that name a key of the page again once, and those that cannot be understood", async () => {
    const keys = ["image/a", "image/b", "image/a", "image/c"];
    const { context } = contextOf(keys, { inventory: { from: "database" } });
    expect(await countAhead(context, at("0", 0))).toEqual({ objects: 3, bytes: null });
  });

  it("finds in a manifest what passes under the prefix, and what is an exception elsewhere", async () => {
    const inventory = { from: "manifest", bucket: "m", key: "list.csv" };
    const clock = new VirtualClock(0, "free");
    const { context } = contextOf(["other/1", ...numbered(2500), "other/2"], { inventory }, { clock });
    expect(await countAhead(context, at("11", 11))).toEqual({ objects: 2502, bytes: null });
    expect(clock.sleeps).toEqual([10, 10]);
    const trial = contextOf(numbered(2500), { inventory, maxObjects: 40 });
    expect(await countAhead(trial.context, at("11", 11))).toEqual({ objects: 40, bytes: null });
  });

  it.each(["bucket", "database", "manifest"])("of a %s begins nothing when it is to stop", async (from) => {
    const stop = new AbortController();
    stop.abort();
    const { context, bucket, asked } = contextOf(
      numbered(50),
      { inventory: { from } },
      { signal: stop.signal },
    );
    await expect(countAhead(context, at("0", 0))).rejects.toMatchObject({ code: "stopped" });
    expect([bucket.asked, asked]).toEqual([[], []]);
  });

  it("does not go in circles when a listing repeats itself", async () => {
    const { context } = contextOf(numbered(50), FROM_BUCKET);
    const object = { key: "image/00001", size: 1, etag: "e", storageClass: null, modifiedAt: 0 };
    const source = only<RateLimitedStore>({ list: async () => ({ objects: [object], more: true }) });
    const counting = countAhead({ ...context, source }, at("image/00000", 1));
    await expect(counting).rejects.toMatchObject({ code: "store_refused" });
  });
});
