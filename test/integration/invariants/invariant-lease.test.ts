/** A runner that lost its lease without noticing (it was stopped, its heartbeat hangs) must not act when it wakes up. */

import { expect, it } from "vitest";
import { bench, benchForEach, clock } from "../../support/worlds/bench-for-each.ts";
import { imageKeys } from "../../support/worlds/workbench.ts";

/** Longer than a lease, shorter than evidence for a deletion keeps: only the lease speaks against going on. */
const STOPPED_MS = 11_000;
const KEYS = imageKeys(20);

benchForEach({ objects: KEYS, rows: KEYS });

/** Another instance takes the job over while this one's heartbeat hangs; the function it gives lets the heartbeat go. */
async function takenOver(id: string): Promise<() => void> {
  const renew = bench.ledger.renew.bind(bench.ledger);
  let thaw = () => {};
  const frozen = new Promise<void>((resolve) => {
    thaw = resolve;
  });
  const begun = new Promise<void>((resolve) => {
    let calls = 0;
    bench.ledger.renew = async (...args) => {
      calls += 1;
      if (calls === 1) {
        resolve();
        await frozen;
      }
      return renew(...args);
    };
  });
  // The heartbeat's renewal is on its way, and stays there; the next one is the check before something is done.
  clock.advance(1_000);
  await begun;
  expect(await bench.ledger.claim(id, "another", clock.now() + STOPPED_MS, 10_000)).not.toBeNull();
  return thaw;
}

it("deletes no source after another instance has taken the job over", async () => {
  const id = await bench.submit();
  // The look at the sources while planning passes; the one before the deletion is frozen.
  let looks = 0;
  const beforeDeletion = bench.store.faults.hold({
    operation: "ListObjectsV2",
    bucket: "bucket-a",
    when: () => ++looks >= 2,
  });
  const run = bench.work(id);
  await beforeDeletion.arrival(1);
  const thaw = await takenOver(id);
  clock.advance(STOPPED_MS);
  beforeDeletion.release();
  await new Promise((resolve) => setTimeout(resolve, 300));
  thaw();
  await run;
  expect(bench.store.requests.count("DeleteObjects")).toBe(0);
  expect(bench.store.listKeys("bucket-a")).toEqual(KEYS);
});

it("changes no row after another instance has taken the job over", async () => {
  const id = await bench.submit({ batchSize: 10, limits: { rowsPerSecond: 1 }, delete: { when: "never" } });
  const run = bench.work(id);
  const isMoved = (path: string) => path.startsWith("avatar/");
  // The first batch's rows are changed; the second batch's wait for the rate.
  while (bench.paths().filter(isMoved).length < 10) await new Promise((resolve) => setTimeout(resolve, 10));
  while ((await bench.jobs.get(id)).objects.verified < 20)
    await new Promise((resolve) => setTimeout(resolve, 10));
  const thaw = await takenOver(id);
  clock.advance(STOPPED_MS);
  await new Promise((resolve) => setTimeout(resolve, 300));
  thaw();
  await run;
  expect(bench.paths().filter(isMoved)).toHaveLength(10);
});

it("copies nothing after another instance has taken the job over", async () => {
  const id = await bench.submit({ limits: { requestsPerSecond: 1 } });
  const run = bench.work(id);
  const copies = () => bench.store.requests.count("CopyObject");
  while (copies() === 0) {
    clock.advance(500);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const thaw = await takenOver(id);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const before = copies();
  expect(before).toBeLessThan(KEYS.length);
  clock.advance(STOPPED_MS);
  await new Promise((resolve) => setTimeout(resolve, 300));
  thaw();
  await run;
  expect(copies()).toBe(before);
});
