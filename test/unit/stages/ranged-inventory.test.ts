/** Listing by concurrent streams: every key once, for any keys, page sizes, orders of answers and crashes. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareKeys } from "../../../src/domain/keys/key-order.ts";
import { Relocation } from "../../../src/domain/relocation.ts";
import type { RateLimitedStore } from "../../../src/pacing/rate-limited-store.ts";
import type { ListPage, ListRequest } from "../../../src/ports/object-store.ts";
import type { ReferenceTable } from "../../../src/ports/reference-table.ts";
import { planBatches } from "../../../src/stages/inventory/plan.ts";
import type { PlanContext } from "../../../src/stages/stage-contexts.ts";
import { hostileKeys } from "../../support/hostile-keys.ts";
import { AVATARS } from "../../support/job-spec.ts";
import { type ListedBucket, listedBucket } from "../../support/listed-bucket.ts";
import { only } from "../../support/only.ts";

const PREFIX = "image/";

interface Planning {
  readonly batchSize?: number;
  readonly maxObjects?: number;
  readonly filter?: (rest: string) => boolean;
  readonly signal?: AbortSignal;
  /** Called for each lookup of rows; without it the job has no references. */
  readonly onLook?: (values: number) => void;
}

/** What planning needs of a context. */
function contextOf(source: Pick<ListedBucket, "list">, planning: Planning = {}): PlanContext {
  const { onLook } = planning;
  const namedBy = (values: readonly string[]) => {
    onLook?.(values.length);
    return values.map((value) => ({ id: `row of ${value}`, value }));
  };
  const table = only<ReferenceTable>({ findRows: async (values) => namedBy(values) });
  const { batchSize = 1000, maxObjects = null } = planning;
  return only<PlanContext>({
    spec: { ...AVATARS, batchSize, maxObjects },
    relocation: new Relocation(AVATARS),
    source: only<RateLimitedStore>(source),
    references: onLook === undefined ? [] : [{ table, urlPrefix: null }],
    filter: planning.filter ?? (() => true),
    signal: planning.signal ?? new AbortController().signal,
  });
}

/** Answers requests in an arbitrary order. */
function inOrderOf(choices: readonly number[]): (answer: () => void) => void {
  const due: (() => void)[] = [];
  let turn = 0;
  return (answer) => {
    due.push(answer);
    setImmediate(() => {
      const choice = choices[turn % choices.length] ?? 0;
      turn += 1;
      due.splice(choice % due.length, 1)[0]?.();
    });
  };
}

/** All keys planned; `crashes` tell after how many batches a run ends, and whether its last batch was recorded. */
async function planThrough(
  context: PlanContext,
  crashes: readonly { readonly after: number; readonly recorded: boolean }[] = [],
): Promise<{ readonly batches: string[][]; readonly cursors: string[] }> {
  const batches: string[][] = [];
  const cursors: string[] = [];
  for (let run = 0; ; run += 1) {
    const crash = crashes[run];
    let seen = 0;
    let crashed = false;
    for await (const { objects, cursor } of planBatches(context, cursors.at(-1) ?? null)) {
      seen += 1;
      crashed = crash !== undefined && seen > crash.after;
      if (crashed && crash?.recorded !== true) break;
      batches.push(objects.map(({ key }) => key));
      cursors.push(cursor);
      if (crashed) break;
    }
    if (!crashed) return { batches, cursors };
  }
}

const characters = fc.constantFrom(
  ...["\x01", "\t", "\r", " ", "+", "%", "/", "0", "5", "9", "a", "z", "~", "\x7f", "\u00e9", "\ud7ff"],
  ...["\ue000", "\ufffe", "\uffff", "\u{10000}", "\u{1f600}", "\u{10ffff}"],
);
const anyKey = fc.string({ unit: characters, minLength: 1, maxLength: 6 });
const numbers = fc.integer({ min: 0, max: 999_999 }).map((n) => String(n).padStart(6, "0"));
/** Sets that defy guessing, each in its own way. */
const keySets = fc
  .oneof(
    fc.array(anyKey, { maxLength: 300 }),
    fc.array(numbers, { minLength: 100, maxLength: 400 }),
    fc.array(numbers, { minLength: 100, maxLength: 300 }).map((some) => some.map((n) => `${n}/only.png`)),
    fc.array(anyKey, { maxLength: 200 }).map((some) => some.map((key) => "k".repeat(1000 - 6) + key)),
    fc.array(anyKey, { maxLength: 200 }).map((some) => some.map((key) => `one/long/common/prefix/${key}`)),
    fc
      .tuple(fc.array(numbers, { minLength: 100, maxLength: 200 }), fc.array(anyKey))
      .map((both) => both.flat()),
    fc.constant([...hostileKeys]),
  )
  .map((keys) => [...new Set(keys)].map((key) => PREFIX + key));
const crash = fc.record({ after: fc.integer({ min: 0, max: 12 }), recorded: fc.boolean() });
const choices = fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 30 });

describe("planning from a listing", () => {
  it("plans every key exactly once, through any crashes, in any order of answers", async () => {
    const page = fc.integer({ min: 1, max: 9 });
    const batchSize = fc.integer({ min: 1, max: 12 });
    const crashes = fc.array(crash, { maxLength: 5 });
    const sparse = fc.integer({ min: 1, max: 4 });
    const references = fc.boolean();
    let streams = 0;
    await fc.assert(
      fc.asyncProperty(
        keySets,
        page,
        batchSize,
        crashes,
        choices,
        sparse,
        references,
        async (keys, ...given) => {
          const [pageSize, size, ends, order, every, withRows] = given;
          const onLook = withRows ? { onLook: () => {} } : {};
          const outside = ["image", "imagf/1", "a", "\u{10ffff}"];
          const bucket = listedBucket([...keys, ...outside], { page: pageSize, deliver: inOrderOf(order) });
          const filter = (rest: string) => every === 1 || rest.length % every === 0;
          const { batches, cursors } = await planThrough(
            contextOf(bucket, { batchSize: size, filter, ...onLook }),
            ends,
          );
          const expected = keys.filter((key) => filter(key.slice(PREFIX.length))).sort(compareKeys);
          expect(batches.flat().sort(compareKeys)).toEqual(expected);
          for (const batch of batches) expect(batch.length).toBeLessThanOrEqual(size);
          for (const cursor of cursors) {
            const { ranges } = JSON.parse(cursor) as { ranges: unknown[] };
            streams = Math.max(streams, ranges.length);
            expect(ranges.length).toBeLessThanOrEqual(64);
          }
        },
      ),
      { numRuns: 400 },
    );
    // Otherwise the tests above did not use several streams.
    expect(streams).toBeGreaterThan(8);
  }, 60_000);

  it("looks up the rows of four batches in one statement, those of the first ones sooner", async () => {
    const keys = Array.from({ length: 95 }, (_, i) => PREFIX + String(i).padStart(4, "0"));
    const looks: number[] = [];
    const bucket = listedBucket(keys, { page: 10 });
    const context = contextOf(bucket, { batchSize: 10, onLook: (values) => looks.push(values) });
    const seen: number[] = [];
    for await (const { objects, cursor } of planBatches(context, null)) {
      seen.push(looks.length);
      const { planned } = JSON.parse(cursor) as { readonly planned: number };
      // Each batch has its own place to go on from, and the rows of its own keys.
      expect(planned).toBe(Math.min(95, 10 * seen.length));
      for (const { key, rows } of objects) expect(rows).toEqual([{ reference: 0, id: `row of ${key}` }]);
    }
    expect(looks).toEqual([10, 20, 40, 25]);
    expect(seen).toEqual([1, 2, 2, 3, 3, 3, 3, 4, 4, 4]);
  });

  it("goes on from a position that an earlier version recorded", async () => {
    const keys = ["a", "b", "c", "d"].map((rest) => PREFIX + rest);
    const cursor = JSON.stringify({ position: "image/b", planned: 2 });
    const planned: string[] = [];
    for await (const { objects } of planBatches(contextOf(listedBucket(keys)), cursor)) {
      planned.push(...objects.map(({ key }) => key));
    }
    expect(planned).toEqual(["image/c", "image/d"]);
  });

  it("takes the first objects in order for a trial run, by one stream", async () => {
    const keys = Array.from({ length: 400 }, (_, i) => PREFIX + String(i).padStart(4, "0"));
    const bucket = listedBucket(keys, { page: 5 });
    const { batches } = await planThrough(contextOf(bucket, { batchSize: 7, maxObjects: 201 }), [
      { after: 9, recorded: true },
    ]);
    expect(batches.flat()).toEqual(keys.slice(0, 201));
    const positions = bucket.asked.map(({ startAfter }) => startAfter ?? "");
    expect(positions.length).toBeLessThanOrEqual(201 / 5 + 4);
  });
});

/** Numbered by `name`; a page of the bucket has 100 keys, so that few keys make many pages. */
const many = (name: (i: number) => string, count = 40_000) =>
  Array.from({ length: count }, (_, i) => PREFIX + name(i));
const padded = (i: number) => String(i).padStart(9, "0");
/** Spreads numbers over 32 bits, the same in every run. */
const hashed = (i: number) => (Math.imul(i + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, "0");
const inSmileys = (i: number) =>
  [...hashed(i)].map((digit) => String.fromCodePoint(0x1f600 + Number.parseInt(digit, 16))).join("");
const inControls = (i: number) =>
  [...padded(i)].map((digit) => String.fromCharCode(1 + Number(digit))).join("");

const SETS: readonly [string, string[]][] = [
  ["numbers", many(padded)],
  ["numbers without padding", many(String)],
  ["hashes", many(hashed)],
  [
    "hashes in directories",
    many((i) => `${hashed(i).slice(0, 2)}/${hashed(i).slice(2, 4)}/${hashed(i)}.png`),
  ],
  ["one key for each directory", many((i) => `user-${i}/avatar.png`)],
  [
    "dates",
    many((i) => `2026/${padded(1 + (i % 12)).slice(-2)}/${padded(1 + (i % 28)).slice(-2)}/${hashed(i)}`),
  ],
  ["differing after a thousand bytes", many((i) => "d".repeat(1000) + padded(i), 25_000)],
  [
    "nearly all under one directory",
    [...many((i) => hashed(i), 300), ...many((i) => `zz/2026/${padded(i)}`)],
  ],
  ["emoji", many(inSmileys)],
  ["control characters", many(inControls)],
  ["first characters never seen before", many((i) => String.fromCodePoint(0xe000 + (i % 1500)) + hashed(i))],
];

describe("listing by several streams", () => {
  it.each(SETS)("is five times as fast for %s, at few requests more", async (_, keys) => {
    const bucket = listedBucket(keys, { page: 100 });
    const { batches } = await planThrough(contextOf(bucket, { batchSize: 100 }));
    expect(batches.flat().sort(compareKeys)).toEqual([...keys].sort(compareKeys));
    const pages = Math.ceil(keys.length / 100);
    expect(bucket.asked.length).toBeLessThanOrEqual(1.1 * pages + 64);
    expect(pages / bucket.clock.at).toBeGreaterThanOrEqual(5);
  });

  it("costs few requests more where nothing can be guessed", async () => {
    const keys = many((i) => "x".repeat(i % 700) + padded(i), 20_000);
    const bucket = listedBucket(keys, { page: 100 });
    await planThrough(contextOf(bucket));
    expect(bucket.asked.length).toBeLessThanOrEqual(1.1 * (keys.length / 100) + 64);
  });

  it("keeps batches together: hardly more listings show them again than there are thousands", async () => {
    const keys = many(padded, 100_000);
    const { batches } = await planThrough(contextOf(listedBucket(keys), { batchSize: 1000 }));
    const order = new Map(keys.map((key, at) => [key, at]));
    const pieces = batches.flatMap((batch) =>
      batch.filter((key, i) => i === 0 || (order.get(key) ?? 0) !== (order.get(batch[i - 1] ?? "") ?? 0) + 1),
    );
    expect(pieces.length).toBeLessThanOrEqual(100 + 64);
    expect(batches.length).toBeLessThanOrEqual(100 + 5);
  });

  it("asks as one stream would while a listing is short", async () => {
    const keys = many(padded, 8_500);
    const bucket = listedBucket(keys);
    await planThrough(contextOf(bucket));
    const ends = Array.from({ length: 8 }, (_, i) => keys[1000 * (i + 1) - 1]);
    expect(bucket.asked.map(({ startAfter }) => startAfter)).toEqual([null, ...ends]);
  });

  it("stays one stream while that is fast enough, and reads one page ahead", async () => {
    const keys = many(padded, 5_000);
    const bucket = listedBucket(keys, { page: 100 });
    let most = 0;
    let batches = 0;
    for await (const _ of planBatches(contextOf(bucket, { batchSize: 100 }), null)) {
      batches += 1;
      await bucket.clock.sleep(2);
      most = Math.max(most, bucket.asked.length - batches);
    }
    expect(most).toBe(1);
    expect(bucket.asked).toHaveLength(50);
  });

  it("stays one stream where rows are looked up for four batches together", async () => {
    const bucket = listedBucket(many(padded, 5_000), { page: 100 });
    const context = contextOf(bucket, { batchSize: 100, onLook: () => {} });
    for await (const { cursor } of planBatches(context, null)) {
      expect((JSON.parse(cursor) as { ranges: unknown[] }).ranges.length).toBeLessThanOrEqual(1);
      await bucket.clock.sleep(2);
    }
    expect(bucket.asked).toHaveLength(50);
  });

  it("goes back to one stream when those who copy are slow again", async () => {
    const bucket = listedBucket(many(padded), { page: 100 });
    const firsts: string[] = [];
    for await (const { objects } of planBatches(contextOf(bucket, { batchSize: 100 }), null)) {
      firsts.push(objects[0]?.key ?? "");
      if (firsts.length > 150) await bucket.clock.sleep(2);
      if (firsts.length === 300) break;
    }
    // One stream lists one range after the other, from the lowest up.
    const turns = firsts
      .slice(200)
      .filter((key, i, late) => i > 0 && compareKeys(key, late[i - 1] ?? "") < 0);
    expect(turns).toEqual([]);
  });

  it("does not list again, after a crash, what it has read in vain", async () => {
    const keys = many(padded);
    const bucket = listedBucket(keys, { page: 100 });
    const order = new Map(keys.map((key, at) => [key.slice(PREFIX.length), at]));
    const filter = (rest: string) => {
      const at = order.get(rest) ?? 0;
      return at % 2000 === 1999 || at >= 39_000;
    };
    const context = contextOf(bucket, { batchSize: 20, filter });
    const seen: { readonly cursor: string; readonly asked: number }[] = [];
    for await (const { cursor } of planBatches(context, null))
      seen.push({ cursor, asked: bucket.asked.length });
    const whole = bucket.asked.length;
    const late = seen.at(-2) ?? { cursor: "", asked: 0 };
    for await (const _ of planBatches(context, late.cursor));
    // Beside what was not asked for yet, each stream repeats the page it was at, and the last sparse ones.
    expect(bucket.asked.length - whole).toBeLessThanOrEqual(whole - late.asked + 32);
  });

  it("never has more than sixteen requests under way", async () => {
    let underWay = 0;
    let most = 0;
    const bucket = listedBucket(many(padded), { page: 100 });
    const list = async (request: ListRequest): Promise<ListPage> => {
      underWay += 1;
      most = Math.max(most, underWay);
      const page = await bucket.list(request);
      underWay -= 1;
      return page;
    };
    await planThrough(contextOf({ list }));
    expect(most).toBe(16);
  });
});

describe("a listing that goes wrong", () => {
  const keys = many(padded, 20_000);

  it.each([
    ["repeats a page", (page: ListPage) => page, true],
    ["announces more and gives nothing", (page: ListPage): ListPage => ({ ...page, objects: [] }), false],
  ])("in any stream and %s fails loudly", async (_, spoil, again) => {
    const bucket = listedBucket(keys, { page: 100 });
    let lies = false;
    const list = async (request: ListRequest): Promise<ListPage> => {
      lies ||= bucket.asked.length > 60;
      const startAfter = lies && again ? "image/000000" : request.startAfter;
      const page = await bucket.list({ ...request, startAfter });
      return lies ? spoil(page) : page;
    };
    await expect(planThrough(contextOf({ list }))).rejects.toMatchObject({ code: "store_refused" });
  });

  it("throws what the store threw; what came before is planned, and no request outlives the end", async () => {
    const bucket = listedBucket(keys, { page: 100 });
    let underWay = 0;
    const list = async (request: ListRequest): Promise<ListPage> => {
      underWay += 1;
      try {
        if (bucket.asked.length > 60) throw new Error("no more");
        return await bucket.list(request);
      } finally {
        underWay -= 1;
      }
    };
    let planned = 0;
    const plan = async () => {
      for await (const { objects } of planBatches(contextOf({ list }, { batchSize: 100 }), null)) {
        planned += objects.length;
      }
    };
    await expect(plan()).rejects.toThrow("no more");
    expect(underWay).toBe(0);
    expect(planned).toBeGreaterThan(3000);
  });

  it("left early tells its requests to stop and waits for their end", async () => {
    const bucket = listedBucket(keys, { page: 100 });
    let underWay = 0;
    let told = 0;
    const list = async (request: ListRequest, signal?: AbortSignal): Promise<ListPage> => {
      underWay += 1;
      const page = await bucket.list(request);
      if (signal?.aborted === true) told += 1;
      underWay -= 1;
      return page;
    };
    let batches = 0;
    for await (const _ of planBatches(contextOf({ list }, { batchSize: 100 }), null)) {
      batches += 1;
      if (batches === 100) break;
    }
    expect(underWay).toBe(0);
    expect(told).toBeGreaterThan(0);
  });
});
