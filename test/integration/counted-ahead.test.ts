/** A job that takes long to plan is counted ahead: by the store's own count of requests, through a stop, to the right end. */

import { describe, expect, it } from "vitest";
import type { JobView } from "../../src/jobs/view/job-view.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { S3Request } from "../../src/sandbox-s3/protocol/s3-request.ts";
import { systemClock } from "../../src/stores/system-clock.ts";
import { bench, benchForEach } from "../support/worlds/bench-for-each.ts";
import { IMAGES, imageKeys } from "../support/worlds/workbench.ts";

/** Ten seconds, after which a job counts as long, are over at once. */
const impatient: Clock = {
  now: () => systemClock.now(),
  monotonic: () => systemClock.monotonic(),
  sleep: (ms, signal) => systemClock.sleep(ms === 10_000 ? 1 : ms, signal),
};
const KEYS = imageKeys(3000);
const BYTES_EACH = Buffer.byteLength(`body of ${KEYS[0]}`);
const LISTED = { operation: "ListObjectsV2", bucket: "bucket-a" } as const;
const job = (from: "bucket" | "database", more: object = {}) => ({
  ...{ inventory: { from }, references: from === "database" ? [IMAGES] : [], batchSize: 100 },
  ...{ delete: { when: "never" } },
  ...more,
});

benchForEach({ objects: KEYS, rows: KEYS }, { clock: impatient });

async function until(id: string, is: (view: JobView) => boolean): Promise<JobView> {
  for (let tries = 0; tries < 500; tries += 1) {
    const view = await bench.jobs.get(id);
    if (is(view)) return view;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("it never came to that");
}
const isCounted = ({ expected }: JobView) => expected !== null;
const lists = () => bench.store.requests.count(LISTED.operation, LISTED.bucket);

describe("a job is counted while its first copies are under way:", () => {
  it.each([
    ["bucket", {}, { objects: 3000, bytes: 3000 * BYTES_EACH }],
    ["bucket", { filter: { include: ["*5.png"] } }, { objects: 300, bytes: 300 * BYTES_EACH }],
    ["bucket", { maxObjects: 1500 }, { objects: 1500, bytes: 1500 * BYTES_EACH }],
    ["database", {}, { objects: 3000, bytes: null }],
    ["database", { filter: { exclude: ["*5.png"] }, maxObjects: 1500 }, { objects: 1500, bytes: null }],
  ] as const)("%s %o", async (from, more, expected) => {
    const hold = bench.store.faults.hold({ operation: "CopyObject" });
    const small = "filter" in more && "include" in more.filter ? { batchSize: 10 } : {};
    const id = await bench.submit(job(from, { ...more, ...small }));
    const work = bench.work(id);
    const view = await until(id, isCounted);
    expect(view).toMatchObject({ planDone: false, expected, percent: 0 });
    // Whether it moves them all is not the question.
    await bench.jobs.act(id, "cancel", "operator");
    hold.release();
    expect(await work).toMatchObject({ state: "cancelled", expected });
  });

  it("with a request more a thousand objects, though it is stopped meanwhile and taken up by somebody else", async () => {
    const copies = bench.store.faults.hold({ operation: "CopyObject" });
    const id = await bench.submit(job("bucket"));
    const before = lists();
    // Planning stands still at its ninth batch with a page to come, which begins at a thousand: counting begins at a batch.
    const counts = ({ target }: S3Request) =>
      !["", "image/000999.png"].includes(target.query.get("start-after") ?? "");
    const counting = bench.store.faults.hold({ ...LISTED, when: counts });
    const first = bench.work(id);
    await counting.arrival(1);
    const closing = bench.scheduler.close();
    counting.release();
    copies.release();
    await closing;
    expect(await first).toMatchObject({ state: "queued", expected: null, planDone: false });
    const planned = lists() - before;
    expect(planned).toBe(2 + 1);
    const held = bench.store.faults.hold({ operation: "CopyObject" });
    const other = bench.otherScheduler("other");
    const rest = other.runNow(id);
    const { objects } = await until(id, isCounted);
    held.release();
    await rest;
    await other.close();
    const done = await bench.jobs.get(id);
    expect(done).toMatchObject({ state: "completed", objects: { moved: 3000 } });
    expect(done.expected).toEqual({ objects: 3000, bytes: 3000 * BYTES_EACH });
    expect(objects.planned).toBeLessThan(2000);
    // The look before the end lists once more, for the sources are kept, and asks whether that was the end.
    expect(lists() - before - planned).toBeLessThanOrEqual(3 * 3 + 1);
  });
});
