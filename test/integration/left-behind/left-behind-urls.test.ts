/** Rows that come at the very end, in a form that cannot be rewritten, are named: the job is not called completed. */

import { afterEach, beforeEach, expect, it } from "vitest";
import { moved } from "../../support/bystander.ts";
import {
  fillStore,
  IMAGES,
  imageKeys,
  openWorkbench,
  type Workbench,
} from "../../support/worlds/workbench.ts";

const KEYS = imageKeys(6);
const CDN = "https://cdn.example.com/";
const [ODD] = KEYS as [string];

let bench: Workbench;
beforeEach(async () => {
  bench = await openWorkbench();
  fillStore(bench.store, "bucket-a", KEYS);
  bench.addRows(KEYS.map((key) => CDN + key));
});
afterEach(async () => {
  await bench.close();
});

it("a row with a query that comes when all sources are gone makes an exception of its object", async () => {
  let isDone = false;
  bench.store.faults.add({
    operation: "ListObjectsV2",
    bucket: "bucket-a",
    effect: { type: "latency", delay: 0 },
    when: () => {
      if (!isDone && bench.store.countObjects("bucket-a") === 0) {
        bench.addRows([`${CDN}${ODD}?v=2`]);
        isDone = true;
      }
      return false;
    },
  });
  const job = await bench.move({
    inventory: { from: "bucket" },
    references: [{ ...IMAGES, urlPrefix: CDN }],
  });
  expect(isDone).toBe(true);
  expect(await bench.exceptions(job.id)).toEqual({ [ODD]: "value_not_understood" });
  expect(job.state).toBe("completed_with_exceptions");
  expect(bench.paths()).toEqual([...KEYS.map((key) => CDN + moved(key)), `${CDN}${ODD}?v=2`]);
});
