/** The end of a relocation that has left nothing behind, seen in both buckets and in the rows. */

import { expect } from "vitest";
import { moved, sumsAgree } from "./bystander.ts";
import type { Workbench } from "./worlds/workbench.ts";

/** Everything of `keys` is at the target with its rows, nothing is under the old prefix, and the job says so. */
export async function expectAllMoved(
  bench: Workbench,
  id: string,
  keys: readonly string[],
  more = 0,
): Promise<void> {
  const job = await bench.jobs.get(id);
  const count = keys.length + more;
  expect(job).toMatchObject({ state: "completed", objects: { planned: count, moved: count } });
  expect(sumsAgree(job)).toBe(true);
  expect(bench.store.listKeys("bucket-a", "image/")).toEqual([]);
  expect(bench.store.listKeys("bucket-b")).toEqual(keys.map(moved).sort());
  expect(bench.paths().filter((path) => !path.startsWith("avatar/"))).toEqual([]);
}
