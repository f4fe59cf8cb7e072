/** URL rows that come while the job runs: whatever was seen before, the look at the deletion sees them. */

import { describe, expect, it } from "vitest";
import { bench, benchForEach } from "../../support/worlds/bench-for-each.ts";
import { fillStore, IMAGES, imageKeys } from "../../support/worlds/workbench.ts";

const CDN = "https://cdn.example.com/";
benchForEach();

const job = {
  inventory: { from: "bucket" },
  references: [{ ...IMAGES, urlPrefix: CDN }],
  batchSize: 10,
};

/** Adds the row for a key in the moment in which its batch is copied, after the first batch has been deleted. */
function addLate(late: ReadonlyMap<string, string>): void {
  const rows = bench.parts.connections.reference.bind(bench.parts.connections);
  const seen = { page: 0 };
  Object.assign(bench.parts.connections, {
    reference: (...given: Parameters<typeof rows>) => {
      const table = rows(...given);
      const page = table.page.bind(table);
      // The tables are read through once, before the first deletion; then the rows come.
      table.page = async (...asked) => {
        const found = await page(...asked);
        seen.page += 1;
        if (seen.page === 1) bench.addRows([...late.values()]);
        return found;
      };
      return table;
    },
  });
}

describe("a row that comes after the tables were read through", () => {
  it.each([
    ["with a query", (path: string) => `${path}?v=2`],
    ["with a fragment", (path: string) => `${path}#top`],
    ["with escaped slashes and a query", (path: string) => `${path.replaceAll("/", "%2F")}?alt=media`],
    ["with escapes in lower case", (path: string) => path.replaceAll("/", "%2f")],
  ])("%s: keeps its source", async (_, spelled) => {
    const keys = imageKeys(60);
    fillStore(bench.store, "bucket-a", keys);
    const named = keys.slice(10);
    addLate(new Map(named.map((key) => [key, CDN + spelled(key)])));
    const done = await bench.move(job);
    expect(bench.paths()).toHaveLength(named.length);
    expect(bench.store.listKeys("bucket-a")).toEqual(named);
    expect(await bench.exceptions(done.id)).toEqual(
      Object.fromEntries(named.map((key) => [key, "still_referenced"])),
    );
  });
});
