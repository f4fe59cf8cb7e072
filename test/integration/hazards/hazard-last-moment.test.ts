/** What changes at the last moment before a source is deleted, or during it: metadata in place, rows, lost answers. */

import { describe, expect, it } from "vitest";
import type { S3Request } from "../../../src/sandbox-s3/protocol/s3-request.ts";
import { s3ClientFor } from "../../support/buckets.ts";
import { bodyOf, moved, onRequest, sumsAgree, untilState } from "../../support/bystander.ts";
import { bench, benchForEach, clock } from "../../support/worlds/bench-for-each.ts";
import { fillStore, imageKeys, WORKBENCH_KEYS } from "../../support/worlds/workbench.ts";

const KEYS = imageKeys(12);
const ODD = KEYS[4] as string;
const OTHERS = KEYS.filter((key) => key !== ODD);
const HOUR = 3_600_000;

// One clock for both: an object is as old to the store as it is to the job.
benchForEach({ objects: KEYS, rows: KEYS }, { store: { now: () => new Date(clock.now()) } });

/** Whether a request is the `nth` that this is asked for. */
function isNth(nth: number): () => boolean {
  let requests = 0;
  return () => {
    requests += 1;
    return requests === nth;
  };
}

/** An in-place copy with other metadata: the ETag stays. */
async function changeMetadata(key: string): Promise<void> {
  const facts = { ...WORKBENCH_KEYS, endpoint: bench.store.url, region: "us-east-1" };
  const client = s3ClientFor(facts, { systemClockOffset: clock.now() - Date.now() });
  await client.copyObject({
    Bucket: "bucket-a",
    Key: key,
    CopySource: `bucket-a/${key}`,
    MetadataDirective: "REPLACE",
    Metadata: { origin: "changed" },
    ContentType: "image/webp",
  });
  client.destroy();
}

describe("metadata that is changed in place, under the same ETag, during the grace period", () => {
  async function changedInGrace(): Promise<string> {
    const id = await bench.submit({ delete: { when: "verified", after: "1h" } });
    const run = bench.work(id);
    await untilState(bench, id, "waiting");
    clock.advance(HOUR / 2);
    await changeMetadata(ODD);
    clock.advance(HOUR);
    await run;
    return id;
  }

  it("keeps the source", async () => {
    const id = await changedInGrace();
    expect(await bench.exceptions(id)).toEqual({ [ODD]: "source_changed" });
    expect(bench.store.listKeys("bucket-a")).toEqual([ODD]);
    expect(bench.store.getObject("bucket-a", ODD)?.metadata).toEqual({ origin: "changed" });
  });

  it("renews the older copy when the job is retried, and only then lets the source go", async () => {
    const id = await changedInGrace();
    const run = bench.retry(id);
    await untilState(bench, id, "waiting");
    clock.advance(2 * HOUR);
    await run;
    const job = await bench.jobs.get(id);
    expect(job).toMatchObject({ state: "completed", objects: { planned: 12, moved: 12 } });
    expect(sumsAgree(job)).toBe(true);
    expect(bench.store.listKeys("bucket-a")).toEqual([]);
    const copy = bench.store.getObject("bucket-b", moved(ODD));
    expect(copy?.metadata).toEqual({ origin: "changed" });
    expect(copy?.read().toString()).toBe(`body of ${ODD}`);
  });

  it("between planning and copying is in the copy; only a renewed copy, which cannot be older, lets the source go", async () => {
    const id = await bench.submit({ delete: { when: "verified", after: "1h" }, batchSize: 4 });
    const hold = bench.store.faults.hold({ operation: "CopyObject", bucket: "bucket-b", sourceKey: ODD });
    const run = bench.work(id);
    await hold.arrival();
    clock.advance(4_000);
    await changeMetadata(ODD);
    hold.release();
    await untilState(bench, id, "waiting");
    clock.advance(2 * HOUR);
    await run;
    expect(await bench.exceptions(id)).toEqual({ [ODD]: "source_changed" });
    expect(bench.store.getObject("bucket-b", moved(ODD))?.metadata).toEqual({ origin: "changed" });
    expect(bench.store.getObject("bucket-a", ODD)?.metadata).toEqual({ origin: "changed" });
  });
});

describe("rows that are committed while sources are being deleted", () => {
  const insert = (path: string, legacy = 1) =>
    bench.app.prepare("INSERT INTO images (path, legacy) VALUES (?, ?)").run(path, legacy);

  /** Runs a job; `commit` is called when the deletion has arrived at the store. */
  async function committed(commit: () => void, job: Record<string, unknown> = {}): Promise<string> {
    return (await bench.moveWhile({ operation: "DeleteObjects", bucket: "bucket-a" }, commit, job)).id;
  }

  it("are pointed at the copies, and counted", async () => {
    const id = await committed(() => {
      for (const key of OTHERS) insert(key);
    });
    const job = await bench.jobs.get(id);
    expect(job).toMatchObject({ state: "completed", objects: { moved: 12 }, rows: { updated: 12 + 11 } });
    expect(bench.paths()).toEqual([...KEYS, ...OTHERS].map(moved));
    expect(bench.store.listKeys("bucket-a")).toEqual([]);
  });

  it("are named where they cannot be pointed at the copy, for they lie outside the reference's where", async () => {
    const reference = { database: "app", table: "images", key: "id", column: "path", where: { legacy: 1 } };
    const id = await committed(() => insert(ODD, 0), { references: [reference] });
    expect(await bench.exceptions(id)).toEqual({ [ODD]: "still_referenced" });
    expect((await bench.jobs.get(id)).state).toBe("completed_with_exceptions");
    expect(bodyOf(bench, "bucket-b", moved(ODD))).toBe(`body of ${ODD}`);
  });

  it("before the request, after target and source were looked at, keep their sources", async () => {
    const id = await bench.submit();
    let isDone = false;
    // The last request before the rows are asked: the listing of the sources.
    onRequest(bench, { operation: "ListObjectsV2", bucket: "bucket-a" }, () => {
      if (isDone || !bench.paths().includes(moved(ODD))) return;
      insert(ODD);
      isDone = true;
    });
    await bench.work(id);
    expect(isDone).toBe(true);
    expect(await bench.exceptions(id)).toEqual({ [ODD]: "still_referenced" });
    expect(bench.store.listKeys("bucket-a")).toEqual([ODD]);
  });

  it("while the deletions before theirs take seconds keep their sources: rows are asked again", async () => {
    // The first key goes by itself, in the second request: the first one shows what the store is.
    const second = { operation: "DeleteObjects", when: isNth(2), held: "after" } as const;
    const { id } = await bench.moveWhile(second, () => {
      clock.advance(3_000);
      insert(ODD);
    });
    expect(await bench.exceptions(id)).toEqual({ [ODD]: "still_referenced" });
    expect(bench.store.listKeys("bucket-a")).toEqual([ODD]);
  });

  it("are pointed at the copies of sources that somebody else has deleted meanwhile", async () => {
    const id = await bench.submit({ delete: { when: "verified", after: "1h" } });
    const run = bench.work(id);
    await untilState(bench, id, "waiting");
    bench.store.deleteObject("bucket-a", ODD);
    insert(ODD);
    clock.advance(2 * HOUR);
    await run;
    expect(await bench.exceptions(id)).toEqual({});
    expect(bench.paths()).toEqual([...KEYS, ODD].map(moved));
  });
});

/** Cancels job `id`, which takes notice of that meanwhile. */
async function cancel(id: string): Promise<void> {
  await bench.jobs.act(id, "cancel", "ann");
  await new Promise((resolve) => setTimeout(resolve, 100));
}

describe("what a cancelled job has deleted", () => {
  /** Cancels while the answer to deletion `nth` is held back; gives which sources are gone. */
  async function cancelledIn(
    nth: number,
  ): Promise<{ readonly id: string; readonly gone: readonly string[] }> {
    const match = { operation: "DeleteObjects", when: isNth(nth), held: "after" } as const;
    const { id } = await bench.moveWhile(match, cancel);
    return { id, gone: KEYS.filter((key) => bench.store.getObject("bucket-a", key) === undefined) };
  }

  // The first request asks whether the store keeps to conditions, the second has one key, the third has the others.
  it.each([
    ["a part of its batch", 2, 1],
    ["all of its batch", 3, KEYS.length],
  ])("counts as moved: %s", async (_what, nth, deleted) => {
    const { id, gone } = await cancelledIn(nth);
    expect(gone.length).toBe(deleted);
    const { state, objects } = await bench.jobs.get(id);
    expect(state).toBe("cancelled");
    expect(objects).toMatchObject({ moved: gone.length, exceptions: 0 });
    for (const key of KEYS) {
      const { outcome } = await bench.jobs.object(id, key);
      expect(outcome.kind).toBe(gone.includes(key) ? "moved" : "pending");
    }
  });
});

describe("what a job has deleted when its windows close", () => {
  it.each([
    ["while its deletion is under way", false],
    ["after that, while the next sources are checked", true],
  ])("%s counts as moved when it is cancelled before they open again", async (_when, isChecking) => {
    const many = imageKeys(1_100).filter((key) => !KEYS.includes(key));
    fillStore(bench.store, "bucket-a", many);
    bench.addRows(many);
    const now = clock.now();
    const atUtc = (ms: number) => new Date(ms).toISOString().slice(11, 16);
    const windows = { timezone: "UTC", open: [{ from: atUtc(now - HOUR), to: atUtc(now + HOUR) }] };
    const id = await bench.submit({ windows, batchSize: 2_000, inventory: { from: "bucket" } });
    // A batch is deleted in slices of a thousand.
    const isSlice = ({ deletion }: S3Request) => (deletion?.entries.length ?? 0) > 500;
    const hold = bench.store.faults.hold({ operation: "DeleteObjects", when: isSlice }, "after");
    const run = bench.work(id);
    await hold.arrival();
    const listing = { operation: "ListObjectsV2", bucket: "bucket-a" } as const;
    const checking = isChecking ? bench.store.faults.hold(listing, "after") : null;
    if (!isChecking) clock.advance(2 * HOUR);
    hold.release();
    await checking?.arrival();
    if (isChecking) clock.advance(2 * HOUR);
    checking?.release();
    await untilState(bench, id, "waiting");
    await bench.jobs.act(id, "cancel", "ann");
    await run;
    const left = bench.store.listKeys("bucket-a").length;
    const { state, objects } = await bench.jobs.get(id);
    expect(state).toBe("cancelled");
    expect(left).toBeGreaterThan(50);
    expect(objects).toMatchObject({ moved: 1_100 - left, exceptions: 0 });
  });
});

describe("rows that are committed while a deletion is under way", () => {
  it("are pointed at the copies though the job is cancelled before the answer", async () => {
    // Behind those by which the store shows whether it keeps to conditions.
    const isMany = ({ deletion }: S3Request) => (deletion?.entries.length ?? 0) > 1;
    const match = { operation: "DeleteObjects", when: isMany, held: "after" } as const;
    const { id } = await bench.moveWhile(match, (id) => {
      bench.addRows([KEYS[5] as string]);
      return cancel(id);
    });
    const gone = KEYS.filter((key) => bench.store.getObject("bucket-a", key) === undefined);
    expect(gone.length).toBeGreaterThan(0);
    for (const path of bench.paths()) expect(gone).not.toContain(path);
    // One row each, and the late one.
    expect((await bench.jobs.get(id)).rows.updated).toBe(KEYS.length + 1);
  });
});

describe("what changes while a deletion waits for its turn, on a store that compares ETags by itself", () => {
  it("keeps the source: the copy that went, and metadata in place, which no ETag tells", async () => {
    const other = KEYS[7] as string;
    let looks = 0;
    onRequest(bench, { operation: "ListObjectsV2", bucket: "bucket-a" }, (nth) => {
      looks = nth;
      // Submission, planning, and the first look before the deletion; the limit lets the deletion come much later.
      if (nth !== 3) return;
      clock.advance(2_000);
      setTimeout(() => {
        bench.store.deleteObject("bucket-b", moved(ODD));
        void changeMetadata(other);
      }, 150);
    });
    const job = await bench.move({ inventory: { from: "bucket" }, limits: { requestsPerSecond: 3 } });
    expect(looks).toBeGreaterThanOrEqual(3);
    expect(await bench.exceptions(job.id)).toMatchObject({ [ODD]: "target_lost", [other]: "source_changed" });
    expect(bench.store.listKeys("bucket-a")).toEqual(expect.arrayContaining([ODD, other]));
  });
});

describe("a deletion whose answer leaves out keys", () => {
  it("is looked at again: what is gone is moved, what is there is refused", async () => {
    const kept = KEYS[7] as string;
    const unsaid = (key: string, applied: boolean) =>
      bench.store.faults.add({ operation: "DeleteObjects", key, effect: { type: "key-omitted", applied } });
    unsaid(ODD, true);
    unsaid(kept, false);
    const job = await bench.move();
    expect(await bench.exceptions(job.id)).toEqual({ [kept]: "delete_refused" });
    expect(job.objects).toMatchObject({ planned: 12, moved: 11, exceptions: 1 });
    expect(bench.store.listKeys("bucket-a")).toEqual([kept]);
  });
});
