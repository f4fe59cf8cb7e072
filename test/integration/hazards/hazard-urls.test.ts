/** Columns that hold URLs: only the value that really names the object changes, and doubt keeps the source. */

import { describe, expect, it } from "vitest";
import { bodyOf } from "../../support/bystander.ts";
import { bench, benchForEach } from "../../support/worlds/bench-for-each.ts";
import { fillStore, IMAGES } from "../../support/worlds/workbench.ts";

const CDN = "https://cdn.example.com/";
const url = (path: string) => `${CDN}${path}`;
const reference = { ...IMAGES, urlPrefix: CDN };

benchForEach();

describe("rows that hold URLs", () => {
  it("are rewritten in the spelling they have, raw or encoded", async () => {
    fillStore(bench.store, "bucket-a", ["image/plain.png", "image/a b.png", "image/é+.png"]);
    bench.addRows([
      url("image/plain.png"),
      url("image/a%20b.png"),
      url("image/a b.png"),
      url("image/%C3%A9%2B.png"),
      url("image/é+.png"),
      "image/plain.png",
      `http${CDN.slice(5)}image/plain.png`,
    ]);
    const job = await bench.move({ references: [reference] });
    expect(job).toMatchObject({ state: "completed", objects: { moved: 3 } });
    expect(bench.paths()).toEqual([
      url("avatar/plain.png"),
      url("avatar/a%20b.png"),
      url("avatar/a b.png"),
      url("avatar/%C3%A9%2B.png"),
      url("avatar/é+.png"),
      "image/plain.png",
      `http${CDN.slice(5)}image/plain.png`,
    ]);
  });

  it("are refused when they cannot be understood, and the source stays", async () => {
    fillStore(bench.store, "bucket-a", ["image/x.png", "image/y.png"]);
    bench.addRows([url("image/x.png"), url("image/y.png?w=100"), url("image/%zz"), url("image/%2e.png")]);
    const job = await bench.move({ references: [reference] });
    expect(await bench.exceptions(job.id)).toEqual({
      "image/y.png?w=100": "value_not_understood",
      "image/%zz": "value_not_understood",
      "image/%2e.png": "value_not_understood",
    });
    expect(bench.store.listKeys("bucket-a")).toEqual(["image/y.png"]);
    expect(bench.paths().slice(1)).toEqual([
      url("image/y.png?w=100"),
      url("image/%zz"),
      url("image/%2e.png"),
    ]);
  });

  it("are not changed for an object whose key only looks like the URL's path", async () => {
    fillStore(bench.store, "bucket-a", ["image/a%20b.png"]);
    bench.addRows([url("image/a%20b.png")]);
    await bench.move({ inventory: { from: "bucket" }, references: [reference] });
    // The row names the key with a space, which is not there; rewritten it would name nothing at all.
    expect(bench.paths()).toEqual([url("image/a%20b.png")]);
  });

  it.each(["image/a%20b.png", "image/a?b.png", "image/a#b.png"])(
    "keep the source when they may name it in a spelling nobody can be sure of: %s",
    async (key) => {
      fillStore(bench.store, "bucket-a", [key]);
      bench.addRows([url(key)]);
      await bench.move({ inventory: { from: "bucket" }, references: [reference] });
      expect(bench.paths()).toEqual([url(key)]);
      expect(bodyOf(bench, "bucket-a", key)).toBe(`body of ${key}`);
    },
  );

  it("of one object may stand in several tables, one with bare keys and one with URLs", async () => {
    bench.app.exec("CREATE TABLE posts (no INTEGER PRIMARY KEY, cover TEXT, state INTEGER DEFAULT 0)");
    const keys = ["image/1.png", "image/2 2.png", "image/3.png"];
    fillStore(bench.store, "bucket-a", keys);
    bench.addRows([keys[0] as string, keys[1] as string, keys[2] as string]);
    const insert = bench.app.prepare("INSERT INTO posts (cover) VALUES (?)");
    for (const path of [url("image/1.png"), url("image/2%202.png"), url("image/2 2.png")]) insert.run(path);
    const posts = {
      database: "app",
      table: "posts",
      key: "no",
      column: "cover",
      urlPrefix: CDN,
      set: { state: 1 },
    };
    const job = await bench.move({ references: [IMAGES, posts], batchSize: 2 });
    expect(job).toMatchObject({ state: "completed", objects: { moved: 3 }, rows: { updated: 6 } });
    expect(bench.paths()).toEqual(["avatar/1.png", "avatar/2 2.png", "avatar/3.png"]);
    expect(bench.app.prepare("SELECT cover, state FROM posts ORDER BY no").all()).toEqual([
      { cover: url("avatar/1.png"), state: 1 },
      { cover: url("avatar/2%202.png"), state: 1 },
      { cover: url("avatar/2 2.png"), state: 1 },
    ]);
  });
});
