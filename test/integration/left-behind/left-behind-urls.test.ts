/** Rows that come at the very end, in a form that cannot be rewritten, are named: the job is not called completed. */

import { expect, it } from "vitest";
import { moved, onRequest } from "../../support/bystander.ts";
import { bench, benchForEach } from "../../support/worlds/bench-for-each.ts";
import { IMAGES, imageKeys } from "../../support/worlds/workbench.ts";

const KEYS = imageKeys(6);
const CDN = "https://cdn.example.com/";
const [ODD] = KEYS as [string];

benchForEach({ objects: KEYS, rows: KEYS.map((key) => CDN + key) });

it("a row with a query that comes when all sources are gone makes an exception of its object", async () => {
  let isDone = false;
  onRequest(bench, { operation: "ListObjectsV2", bucket: "bucket-a" }, () => {
    if (isDone || bench.store.countObjects("bucket-a") > 0) return;
    bench.addRows([`${CDN}${ODD}?v=2`]);
    isDone = true;
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
