/** A relocation from beginning to end, in one process: the promise in its plainest form. */

import { describe, expect, it } from "vitest";
import { bench, benchForEach } from "../support/worlds/bench-for-each.ts";
import { fillStore, imageKeys } from "../support/worlds/workbench.ts";

benchForEach();

const moved = (key: string) => key.replace(/^image\//, "avatar/");

describe("a relocation", () => {
  it("moves every object, points its row at it and leaves no source", async () => {
    const keys = imageKeys(2500);
    fillStore(bench.store, "bucket-a", [...keys, "other/kept.png"]);
    bench.addRows([...keys, "other/kept.png", "avatar/already.png"]);

    const job = await bench.move();

    expect(job).toMatchObject({ state: "completed", percent: 100 });
    expect(job.objects).toMatchObject({ planned: 2500, moved: 2500, skipped: 0, exceptions: 0 });
    expect(bench.store.listKeys("bucket-a")).toEqual(["other/kept.png"]);
    expect(bench.store.listKeys("bucket-b")).toEqual(keys.map(moved));
    expect(bench.paths()).toEqual([...keys.map(moved), "other/kept.png", "avatar/already.png"]);
    for (const key of keys.slice(0, 50)) {
      const object = bench.store.getObject("bucket-b", moved(key));
      expect(object?.read().toString()).toBe(`body of ${key}`);
      expect(object?.metadata).toEqual({ origin: "test" });
      expect(object?.contentType).toBe("image/png");
    }
  });
});
