/** Objects that a later job has moved back are not moved again by taking the earlier job up for its exceptions. */

import { expect, it } from "vitest";
import { bench, benchForEach } from "../support/worlds/bench-for-each.ts";
import { imageKeys } from "../support/worlds/workbench.ts";

const KEYS = imageKeys(6);
const [ODD] = KEYS as [string];

benchForEach({ objects: KEYS, rows: KEYS });

it("a retry is refused when a later job has moved the objects back, and names it", async () => {
  const denied = bench.store.faults.add({
    operation: "CopyObject",
    sourceKey: ODD,
    effect: { type: "access-denied" },
  });
  const first = await bench.move();
  expect(await bench.exceptions(first.id)).toEqual({ [ODD]: "access_denied" });
  denied.remove();
  const back = await bench.move({
    source: { bucket: "bucket-b", prefix: "avatar/" },
    target: { bucket: "bucket-a", prefix: "image/" },
  });
  expect(back.state).toBe("completed");
  expect(bench.paths()).toEqual(KEYS);
  await expect(bench.jobs.act(first.id, "retry", "ann")).rejects.toMatchObject({
    code: "conflict",
    message: expect.stringContaining(back.id),
  });
  expect(bench.store.listKeys("bucket-a")).toEqual(KEYS);
});

it("a retry is taken when the later job moves other objects", async () => {
  bench.store.faults.add({
    operation: "CopyObject",
    sourceKey: ODD,
    times: 1,
    effect: { type: "access-denied" },
  });
  const first = await bench.move();
  bench.store.putObject("bucket-b", "other/x", "x");
  await bench.move({
    source: { bucket: "bucket-b", prefix: "other/" },
    target: { bucket: "bucket-a", prefix: "elsewhere/" },
    references: [],
  });
  expect(await bench.retry(first.id)).toMatchObject({ state: "completed", objects: { moved: 6 } });
});
