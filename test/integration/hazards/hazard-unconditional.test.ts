/** Stores that ignore conditions on copies and deletions, as Ceph 16 does: looks are the guard, and they are young. */

import { describe, expect, it } from "vitest";
import { bodyOf, moved, onRequest, until, untilState } from "../../support/bystander.ts";
import { bench, benchForEach } from "../../support/worlds/bench-for-each.ts";
import { fillStore, imageKeys } from "../../support/worlds/workbench.ts";

const KEYS = imageKeys(40);

benchForEach({ objects: KEYS, rows: KEYS }, { store: { keepsConditions: false } });

/** Others' objects appear at the new keys of `keys`. */
function occupy(keys: readonly string[]): void {
  for (const key of keys) bench.store.putObject("bucket-b", moved(key), `another's ${key}`);
}

async function expectForeignKept(id: string, foreign: readonly string[]): Promise<void> {
  for (const key of foreign) {
    expect(bodyOf(bench, "bucket-b", moved(key))).toBe(`another's ${key}`);
    expect(bodyOf(bench, "bucket-a", key)).toBe(`body of ${key}`);
  }
  const exceptions = await bench.exceptions(id);
  expect(exceptions).toEqual(Object.fromEntries(foreign.map((key) => [key, "target_exists"])));
}

const OPEN = { timezone: "UTC", open: [{ from: "00:00", to: "24:00" }] };
const SHUT = { ...OPEN, closed: days(3) };

/** Yesterday, today and tomorrow: the test may run at midnight. */
function days(count: number): string[] {
  return Array.from({ length: count }, (_, at) =>
    new Date(Date.now() + (at - 1) * 86_400_000).toISOString().slice(0, 10),
  );
}

/** Somebody overwrites source `key` when the store gets the request that deletes it; tells whether that has happened. */
function overwriteAtDeletion(key: string): () => boolean {
  let isDone = false;
  onRequest(bench, { operation: "DeleteObjects", key }, (nth) => {
    if (nth === 1) bench.store.putObject("bucket-a", key, "newer");
    isDone = true;
  });
  return () => isDone;
}

describe("objects of others that appear at new keys after a batch was looked at, under onConflict fail, stay", () => {
  it("while the job copies slowly", async () => {
    const id = await bench.submit({ limits: { requestsPerSecond: 40, concurrency: 4 } });
    const run = bench.work(id);
    await until(() => bench.store.requests.count("CopyObject") > 3);
    const foreign = KEYS.filter((key) => bench.store.getObject("bucket-b", moved(key)) === undefined).slice(
      8,
    );
    expect(foreign.length).toBeGreaterThan(10);
    occupy(foreign);
    await run;
    await expectForeignKept(id, foreign);
  });

  it("while the store throttles and copies are repeated", async () => {
    // One at a time: what has been looked at and is on its way at this very moment cannot be helped.
    const id = await bench.submit({ limits: { concurrency: 1 } });
    let rejected = 0;
    bench.store.faults.add({
      operation: "CopyObject",
      times: 4,
      effect: { type: "slow-down" },
      when: () => {
        rejected += 1;
        if (rejected === 3) occupy(KEYS);
        return true;
      },
    });
    await bench.work(id);
    await expectForeignKept(id, KEYS);
  });

  it("while windows are shut", async () => {
    const id = await bench.submit({ limits: { requestsPerSecond: 60, concurrency: 2 }, windows: OPEN });
    const run = bench.work(id);
    await until(() => bench.store.requests.count("CopyObject") > 3);
    await bench.jobs.amend(id, { windows: SHUT }, { ifVersions: null, actor: "ann" });
    await untilState(bench, id, "waiting");
    const foreign = KEYS.filter((key) => bench.store.getObject("bucket-b", moved(key)) === undefined);
    occupy(foreign);
    await bench.jobs.amend(id, { windows: OPEN }, { ifVersions: null, actor: "ann" });
    await run;
    expect(foreign.length).toBeGreaterThan(10);
    await expectForeignKept(id, foreign);
  });
});

describe("a source that is overwritten while sources are being deleted", () => {
  it("is not deleted with the old look: each request has few keys, looked at immediately before", async () => {
    const many = imageKeys(600);
    fillStore(bench.store, "bucket-a", many);
    bench.addRows(many.slice(40));
    // A store on which each key of a deletion takes its time.
    const sizes: number[] = [];
    onRequest(bench, { operation: "DeleteObjects" }, (_, { deletion }) => {
      const size = deletion?.entries.length ?? 0;
      sizes.push(size);
      const end = performance.now() + size * 0.6;
      while (performance.now() < end);
    });
    const job = await bench.move();
    expect(job).toMatchObject({ state: "completed", objects: { moved: 600 } });
    expect(bench.store.listKeys("bucket-a")).toEqual([]);
    expect(Math.max(...sizes)).toBeLessThan(100);
  });

  it("after the look at its request's keys began is kept when it is not in that request yet", async () => {
    const late = KEYS[39] as string;
    onRequest(bench, { operation: "DeleteObjects" }, (nth) => {
      if (nth === 2) bench.store.putObject("bucket-a", late, "newer");
    });
    const job = await bench.move();
    expect(await bench.exceptions(job.id)).toEqual({ [late]: "source_changed" });
    expect(bodyOf(bench, "bucket-a", late)).toBe("newer");
    expect(bench.store.listKeys("bucket-a")).toEqual([late]);
  });

  it("before the first deletion of all, by which the store shows what it is, is kept", async () => {
    const [first] = KEYS as [string];
    onRequest(bench, { operation: "ListObjectsV2", bucket: "bucket-b" }, (nth) => {
      // Before copying, after it, before the deletion; the fourth is the one right before the request.
      if (nth === 4) bench.store.putObject("bucket-a", first, "newer");
    });
    const job = await bench.move();
    expect(await bench.exceptions(job.id)).toEqual({ [first]: "source_changed" });
    expect(bodyOf(bench, "bucket-a", first)).toBe("newer");
  });

  it("in the moment of its deletion is named, where versions are kept, though nobody could look under the marker then", async () => {
    bench.store.setVersioning("bucket-a", "Enabled");
    const late = KEYS[20] as string;
    const isDone = overwriteAtDeletion(late);
    bench.store.faults.add({
      operation: "ListObjectVersions",
      times: 1,
      effect: { type: "internal-error" },
      when: isDone,
    });
    const job = await bench.move();
    const named = await bench.exceptions(job.id);
    const isVisible = bodyOf(bench, "bucket-a", late) === "newer";
    expect(isVisible || named[late] === "source_changed").toBe(true);
    expect(Object.keys(named)).toEqual([late]);
  });

  it("in the very moment of its deletion stands again where the bucket keeps versions", async () => {
    bench.store.setVersioning("bucket-a", "Enabled");
    const late = KEYS[20] as string;
    overwriteAtDeletion(late);
    const job = await bench.move();
    expect(await bench.exceptions(job.id)).toEqual({ [late]: "source_changed" });
    expect(bodyOf(bench, "bucket-a", late)).toBe("newer");
    expect(bodyOf(bench, "bucket-b", moved(late))).toBe(`body of ${late}`);
  });
});

describe("renewing an own copy", () => {
  it("does not replace an object that came between the look and the copy", async () => {
    const [key] = KEYS as [string];
    overwriteAtDeletion(key);
    bench.store.setVersioning("bucket-a", "Enabled");
    const job = await bench.move();
    expect(await bench.exceptions(job.id)).toEqual({ [key]: "source_changed" });
    const busy = bench.store.faults.add({
      ...{ operation: "CopyObject", sourceKey: key, times: 1 },
      effect: { type: "slow-down" },
      when: () => {
        bench.store.putObject("bucket-b", moved(key), "another's");
        return true;
      },
    });
    await bench.retry(job.id);
    expect(busy.fired).toBe(1);
    expect(bodyOf(bench, "bucket-b", moved(key))).toBe("another's");
    expect(bodyOf(bench, "bucket-a", key)).toBe("newer");
  });
});
