/** URLs in spellings of their own: what cannot be looked up is not rewritten, and its object is not deleted. */

import { describe, expect, it } from "vitest";
import { bench, benchForEach } from "../../support/worlds/bench-for-each.ts";
import { fillStore, IMAGES } from "../../support/worlds/workbench.ts";

const CDN = "https://cdn.example.com/";
benchForEach();

const job = { inventory: { from: "bucket" }, references: [{ ...IMAGES, urlPrefix: CDN }] };

describe("a row whose URL is spelled in a way of its own", () => {
  it.each([
    ["lower-case escapes", "image/é.png", "image/%c3%a9.png"],
    ["a query string", "image/a.jpg", "image/a.jpg?v=2"],
    ["a fragment", "image/b.jpg", "image/b.jpg#top"],
    ["escapes that are not needed", "image/c.jpg", "image/%63.jpg"],
    ["a plus for a space", "image/a b.jpg", "image/a+b.jpg"],
  ])("%s: is left as it is, and keeps its object", async (_, key, path) => {
    fillStore(bench.store, "bucket-a", [key, "image/plain.png"]);
    bench.addRows([CDN + path, `${CDN}image/plain.png`]);
    const done = await bench.move(job);
    expect(await bench.exceptions(done.id)).toEqual({ [key]: "still_referenced" });
    expect(bench.store.listKeys("bucket-a")).toEqual([key]);
    expect(bench.paths()).toEqual([CDN + path, `${CDN}avatar/plain.png`]);
  });

  it("strictly encoded, as Python and PHP do: is rewritten like any other", async () => {
    fillStore(bench.store, "bucket-a", ["image/photo (1).jpg"]);
    bench.addRows([`${CDN}image/photo%20%281%29.jpg`]);
    expect((await bench.move(job)).state).toBe("completed");
    expect(bench.paths()).toEqual([`${CDN}avatar/photo%20%281%29.jpg`]);
    expect(bench.store.listKeys("bucket-a")).toEqual([]);
  });
});
