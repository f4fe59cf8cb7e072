/** Objects that lie scattered among many others are looked at one by one; trouble with one of them stays its own. */

import { describe, expect, it } from "vitest";
import { moved } from "../../support/bystander.ts";
import { bench, benchForEach } from "../../support/worlds/bench-for-each.ts";
import { imageKeys } from "../../support/worlds/workbench.ts";

const ALL = imageKeys(1440);
const WANTED = ALL.filter((_, i) => i % 120 === 60);
const ODD = WANTED[10] as string;

benchForEach({ objects: ALL, rows: WANTED });

describe("a job for a few rows among many objects", () => {
  it("moves exactly those, and deletes none of their neighbours", async () => {
    const job = await bench.move();
    expect(job).toMatchObject({ state: "completed", objects: { planned: 12, moved: 12 } });
    expect(bench.store.listKeys("bucket-b")).toEqual(WANTED.map(moved));
    expect(bench.store.listKeys("bucket-a")).toEqual(ALL.filter((key) => !WANTED.includes(key)));
  });

  it("goes on when one source may not be looked at: that one is an exception and stays", async () => {
    bench.store.faults.add({ operation: "HeadObject", key: ODD, effect: { type: "access-denied" } });
    const job = await bench.move();
    expect(job.state).toBe("completed_with_exceptions");
    expect(await bench.exceptions(job.id)).toEqual({ [ODD]: "access_denied" });
    expect(job.objects).toMatchObject({ planned: 12, moved: 11, exceptions: 1 });
    expect(bench.paths()).toEqual(WANTED.map((key) => (key === ODD ? key : moved(key))));
  });

  it("waits out a listing and a look that fail for a while", async () => {
    const id = await bench.submit();
    bench.store.faults.add({
      operation: "HeadObject",
      every: 4,
      times: 5,
      effect: { type: "internal-error" },
    });
    bench.store.faults.add({ operation: "ListObjectsV2", times: 2, effect: { type: "reset-before" } });
    expect(await bench.work(id)).toMatchObject({ state: "completed", objects: { moved: 12 } });
  });
});
