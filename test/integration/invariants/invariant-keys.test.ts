/** Keys are opaque: every hostile key arrives under exactly its new name, and so do the rows. */

import { describe, expect, it } from "vitest";
import { bodyOf } from "../../support/bystander.ts";
import { hostileKeys } from "../../support/hostile-keys.ts";
import { bench, benchForEach } from "../../support/worlds/bench-for-each.ts";
import { fillStore } from "../../support/worlds/workbench.ts";

benchForEach();

const MORE = [
  "trailing space ",
  "two  spaces",
  "a\\b",
  "a*b?c[d]",
  "%2F",
  "%25%32%46",
  "+",
  "a+b%2Bc",
  "\u0085",
  "\u2028",
  "\u200b",
  "\ud7ff\ue000\uffee",
  "image/image/again",
  "avatar/",
  ".",
  "..",
  "//",
  "con\x00trol".replace("\x00", "\x02"),
  "ｆｕｌｌ",
  "ß",
  "SS",
  "\u{1f468}\u200d\u{1f469}",
];
const NAMES = [...hostileKeys.filter((name) => name.length < 1000), ...MORE];
const KEYS = NAMES.map((name) => `image/${name}`);
const TARGETS = NAMES.map((name) => `avatar/${name}`);
const inByteOrder = (keys: readonly string[]) =>
  [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

describe("hostile keys", () => {
  it.each(["database", "bucket"])(
    "are all moved exactly, rows included, when the inventory is the %s",
    async (from) => {
      fillStore(bench.store, "bucket-a", [...KEYS, "image", "imagE/x", "im\u00e0ge/x"]);
      bench.addRows(KEYS);
      const job = await bench.move({ batchSize: 10, inventory: { from } });
      expect(await bench.exceptions(job.id)).toEqual({});
      expect(job).toMatchObject({
        state: "completed",
        objects: { planned: KEYS.length, moved: KEYS.length },
      });
      expect(bench.store.listKeys("bucket-b")).toEqual(inByteOrder(TARGETS));
      expect(bench.store.listKeys("bucket-a")).toEqual(inByteOrder(["image", "imagE/x", "im\u00e0ge/x"]));
      expect(bench.paths()).toEqual(TARGETS);
      for (const [i, target] of TARGETS.entries()) {
        expect(bodyOf(bench, "bucket-b", target)).toBe(`body of ${KEYS[i]}`);
      }
    },
  );

  it("keep even a hostile prefix exact on both sides", async () => {
    const from = "im+age/%41 \u{1f600}?#/";
    const to = "a&v'at\"ar/<é>/e\u0301/";
    const names = ["a", "im+age/%41 \u{1f600}?#/a", "", "/"];
    fillStore(
      bench.store,
      "bucket-a",
      names.map((name) => from + name),
    );
    bench.addRows(names.map((name) => from + name));
    const job = await bench.move({
      source: { bucket: "bucket-a", prefix: from },
      target: { bucket: "bucket-b", prefix: to },
    });
    expect(job).toMatchObject({ state: "completed", objects: { moved: 4 } });
    expect(bench.store.listKeys("bucket-b")).toEqual(inByteOrder(names.map((name) => to + name)));
    expect(bench.paths()).toEqual(names.map((name) => to + name));
  });

  it("exchange only the first occurrence of the prefix", async () => {
    fillStore(bench.store, "bucket-a", ["image/image/image/x"]);
    bench.addRows(["image/image/image/x"]);
    await bench.move();
    expect(bench.store.listKeys("bucket-b")).toEqual(["avatar/image/image/x"]);
    expect(bench.paths()).toEqual(["avatar/image/image/x"]);
  });

  it("may fill the 1,024 bytes to the last, and one byte more is an exception of that object alone", async () => {
    const fits = `image/${"é".repeat(508)}x`;
    const tooLong = `image/${"é".repeat(509)}`;
    fillStore(bench.store, "bucket-a", [fits, tooLong]);
    bench.addRows([fits, tooLong]);
    const job = await bench.move();
    expect(await bench.exceptions(job.id)).toEqual({ [tooLong]: "key_too_long" });
    expect(bench.store.listKeys("bucket-a")).toEqual([tooLong]);
    expect(bench.paths()).toEqual([`avatar/${fits.slice(6)}`, tooLong]);
  });

  it("need no prefix at all on either side", async () => {
    fillStore(bench.store, "bucket-a", ["/a", " b", "c/"]);
    // Rows could not be told apart: such prefixes begin alike.
    const without = { references: [] };
    const into = await bench.move({
      ...without,
      source: { bucket: "bucket-a" },
      target: { bucket: "bucket-b", prefix: "new/" },
    });
    expect(into).toMatchObject({ state: "completed", objects: { moved: 3 } });
    expect(bench.store.listKeys("bucket-b")).toEqual(["new/ b", "new//a", "new/c/"]);
    const back = await bench.move({
      ...without,
      source: { bucket: "bucket-b", prefix: "new/" },
      target: { bucket: "bucket-a" },
    });
    expect(back).toMatchObject({ state: "completed", objects: { moved: 3 } });
    expect(bench.store.listKeys("bucket-a")).toEqual([" b", "/a", "c/"]);
  });
});
