/** Reading many objects: correct for any set of keys among any others, with few requests. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareKeys } from "../../../src/domain/keys/key-order.ts";
import { limitConcurrency } from "../../../src/pacing/concurrency.ts";
import type { ListedObject, ObjectFacts } from "../../../src/ports/object-store.ts";
import { type BucketAccess, headMany } from "../../../src/stages/head-many.ts";

function listed(key: string): ListedObject {
  return { key, size: key.length, etag: `etag of ${key}`, storageClass: null, modifiedAt: 0 };
}

/** A bucket with `keys` that counts its requests. `page` caps its pages, as a store may. */
function bucketOf(keys: readonly string[], page = 1000) {
  const sorted = [...new Set(keys)].sort(compareKeys);
  const asked = { lists: 0, heads: 0 };
  const store = {
    async list({ prefix, startAfter, limit }: { prefix: string; startAfter: string | null; limit: number }) {
      asked.lists += 1;
      const after = sorted.filter(
        (key) => key.startsWith(prefix) && (startAfter === null || compareKeys(key, startAfter) > 0),
      );
      const most = Math.min(limit, page);
      return { objects: after.slice(0, most).map(listed), more: after.length > most };
    },
    async head({ key }: { key: string }): Promise<ObjectFacts | null> {
      asked.heads += 1;
      if (!sorted.includes(key)) return null;
      return {
        ...listed(key),
        needsRestore: false,
        contentType: null,
        encryption: null,
        metadata: {},
        tagCount: 0,
        checksums: [],
      };
    },
  };
  const access: BucketAccess = {
    store: store as unknown as BucketAccess["store"],
    bucket: "b",
    concurrency: limitConcurrency(8),
    signal: new AbortController().signal,
  };
  return { access, asked };
}

const numbered = (count: number, every = 1) =>
  Array.from({ length: count }, (_, i) => `image/${String(i * every).padStart(8, "0")}.png`);

describe("looking at keys", () => {
  it.each([1, 999, 1000, 1001, 2500])(
    "costs one listing for each thousand of %i that lie side by side",
    async (count) => {
      const keys = numbered(count);
      const { access, asked } = bucketOf([...keys, "a", "image", "image/~", "z"]);
      const found = (await headMany(access, keys)).found;
      expect(found.size).toBe(count);
      expect(asked).toEqual({ lists: Math.ceil(count / 1000), heads: 0 });
    },
  );

  it("costs a HEAD for each of those that lie scattered, and few listings", async () => {
    const all = numbered(30_000);
    const keys = all.filter((_, i) => i % 500 === 0);
    const { access, asked } = bucketOf(all);
    const found = (await headMany(access, keys)).found;
    expect([...found.keys()].sort()).toEqual(keys);
    expect(asked.heads).toBeGreaterThanOrEqual(keys.length - 10);
    expect(asked.lists).toBeLessThanOrEqual(3);
  });

  it("lets answers that came meanwhile go first, after each listing and before it gives what it saw", async () => {
    const { access } = bucketOf(numbered(2000));
    const seen: string[] = [];
    const { list } = access.store;
    const watched = {
      ...access.store,
      list: async (...args: Parameters<typeof list>) => {
        seen.push("list");
        setImmediate(() => {
          seen.push("answer");
          setImmediate(() => seen.push("another"));
        });
        return list(...args);
      },
    };
    await headMany({ ...access, store: watched }, numbered(2000));
    seen.push("given");
    expect(seen).toEqual(["list", "answer", "list", "another", "answer", "another", "given"]);
  });

  it("finds what lies behind a page that wrongly says it is the last", async () => {
    const keys = numbered(1000);
    const { access } = bucketOf(keys, 300);
    const honest = access.store;
    const lying = {
      ...honest,
      list: async (...args: Parameters<typeof honest.list>) => ({
        ...(await honest.list(...args)),
        more: false,
      }),
    };
    expect((await headMany({ ...access, store: lying }, keys)).found.size).toBe(1000);
  });

  it("costs one listing for a thousand of which none is there", async () => {
    const { access, asked } = bucketOf(["another/one"]);
    expect((await headMany(access, numbered(1000))).found.size).toBe(0);
    expect(asked).toEqual({ lists: 1, heads: 0 });
  });

  it("costs nothing for none", async () => {
    const { access, asked } = bucketOf(["a"]);
    expect((await headMany(access, [])).found.size).toBe(0);
    expect(asked).toEqual({ lists: 0, heads: 0 });
  });

  it("gives the truth for any keys among any neighbours, whatever the pages", async () => {
    const unit = fc.constantFrom(
      "a",
      "b",
      "~",
      "!",
      " ",
      "/",
      "\x7f",
      "\u00e9",
      "\ue000",
      "\u{1f600}",
      "\uffff",
    );
    const key = fc.string({ unit, minLength: 1, maxLength: 5 });
    const keys = fc.array(key, { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(
        keys,
        keys,
        keys,
        fc.integer({ min: 1, max: 20 }),
        async (there, gone, neighbours, page) => {
          const exists = new Set([...there, ...neighbours]);
          const { access } = bucketOf([...exists], page);
          const once = [...new Set([...there, ...gone])].sort(compareKeys);
          const truth = once.filter((one) => exists.has(one));
          // In order, as keys mostly come, and in any.
          for (const wanted of [once, [...there, ...gone, ...there]]) {
            const found = (await headMany(access, wanted)).found;
            expect([...found.keys()].sort(compareKeys)).toEqual(truth);
            for (const [one, object] of found) expect(object).toMatchObject(listed(one));
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it("throws what the store throws instead of calling keys absent", async () => {
    const { access } = bucketOf(numbered(5));
    const failing = {
      ...access.store,
      list: () => Promise.reject(new Error("no")),
    } as unknown as BucketAccess["store"];
    await expect(headMany({ ...access, store: failing }, numbered(3))).rejects.toThrow("no");
  });
});
