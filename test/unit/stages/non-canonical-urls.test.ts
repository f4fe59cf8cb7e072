/** How often tables are scanned for URLs in non-canonical spellings: every ten minutes, less often where a scan takes long. */

import { expect, it } from "vitest";
import type { ReferenceTable } from "../../../src/ports/reference-table.ts";
import { NonCanonicalUrls } from "../../../src/stages/non-canonical-urls.ts";
import { HandClock } from "../../support/clocks/hand-clock.ts";
import { VirtualClock } from "../../support/clocks/virtual-clock.ts";

const MINUTE = 60_000;

/** Names over a table that takes `readMs` to read through, or fails while `trouble.lasts`. */
function slowly(readMs: number) {
  const clock = new VirtualClock(1_000_000, "free");
  const trouble = { lasts: false };
  const readAt: number[] = [];
  const began = clock.at;
  const page = async () => {
    readAt.push((clock.at - began) / MINUTE);
    await clock.sleep(readMs);
    if (trouble.lasts) throw new Error("away");
    return [{ id: "1", value: "https://cdn/%69mage/a" }];
  };
  const table = { page } as unknown as ReferenceTable;
  return {
    clock,
    trouble,
    readAt,
    names: new NonCanonicalUrls([{ table, urlPrefix: "https://cdn/" }], clock),
  };
}

it.each([
  ["quickly", 1000, 10],
  ["in four minutes", 4 * MINUTE, 10],
  ["in half an hour", 30 * MINUTE, 60],
])("tables read %s (%i ms) are read again after %i minutes", async (_, readMs, after) => {
  const { clock, names, readAt } = slowly(readMs);
  const began = clock.at;
  expect([...(await names.keys())]).toContain("image/a");
  clock.at = began + after * MINUTE;
  await names.keys();
  expect(readAt).toEqual([0]);
  clock.at += 1;
  await names.keys();
  expect(readAt).toHaveLength(2);
});

it("tables are read again after ten minutes also where the clock was set back in between", async () => {
  const clock = new HandClock("stands");
  let readings = 0;
  const page = async () => {
    readings += 1;
    return [];
  };
  const table = { page } as unknown as ReferenceTable;
  const names = new NonCanonicalUrls([{ table, urlPrefix: "https://cdn/" }], clock);
  await names.keys();
  clock.advance(6 * MINUTE);
  clock.setWall(-5 * MINUTE);
  await names.keys();
  expect(readings).toBe(1);
  clock.advance(5 * MINUTE);
  await names.keys();
  expect(readings).toBe(2);
});

it("tables that are being read are not read a second time meanwhile, however long it takes", async () => {
  const { clock, names, readAt } = slowly(30 * MINUTE);
  const first = names.keys();
  // The scan is in progress; the clock shows its end already.
  clock.at += 29 * MINUTE;
  expect(names.keys()).toBe(first);
  await first;
  expect(readAt).toHaveLength(1);
});

it("tables that could not be read are read at the next question", async () => {
  const { names, trouble, readAt } = slowly(1000);
  trouble.lasts = true;
  await expect(names.keys()).rejects.toThrow("away");
  trouble.lasts = false;
  expect([...(await names.keys())]).toContain("image/a");
  expect(readAt).toHaveLength(2);
});
