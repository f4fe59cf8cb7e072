/** Two jobs on the same keys, and buckets with two names: the ways in which both copies of an object could go. */

import { beforeEach, describe, expect, it } from "vitest";
import { bench, benchForEach } from "../support/worlds/bench-for-each.ts";
import { fillStore, imageKeys } from "../support/worlds/workbench.ts";

const KEYS = imageKeys(20);
benchForEach({ objects: KEYS });

const there = {
  source: { bucket: "bucket-a", prefix: "image/" },
  target: { bucket: "bucket-b", prefix: "image/" },
};
const back = { source: there.target, target: there.source };
const plain = { references: [], onConflict: "skip-identical", delete: { when: "verified", after: "0s" } };

describe("a job in the opposite direction", () => {
  beforeEach(() => fillStore(bench.store, "bucket-b", KEYS));

  it("is refused while the first is unfinished, by a conflict that names it", async () => {
    const first = await bench.submit({ ...plain, ...there });
    await expect(bench.submit({ ...plain, ...back })).rejects.toMatchObject({
      code: "conflict",
      details: { jobId: first },
    });
    const nested = {
      source: { bucket: "bucket-b", prefix: "image/0000" },
      target: { bucket: "bucket-b", prefix: "x/" },
    };
    await expect(bench.submit({ ...plain, ...nested })).rejects.toMatchObject({ code: "conflict" });
  });

  it("is let in by exactly one of two submissions at the same moment, or by none", async () => {
    const both = await Promise.allSettled([
      bench.submit({ ...plain, ...there }),
      bench.submit({ ...plain, ...back }),
    ]);
    expect(both.filter((result) => result.status === "fulfilled").length).toBeLessThanOrEqual(1);
    const { items } = await bench.jobs.list({ state: "queued", cursor: null, limit: 10 });
    expect(items.length).toBeLessThanOrEqual(1);
  });

  it("is let in when the first has ended, and so is a second job of the same direction at any time", async () => {
    await bench.submit({ ...plain, ...there, maxObjects: 5 });
    const second = await bench.submit({ ...plain, ...there });
    expect((await bench.jobs.get(second)).state).toBe("queued");
    for (const { id } of (await bench.jobs.list({ state: "queued", cursor: null, limit: 10 })).items) {
      await bench.work(id);
    }
    expect(bench.store.listKeys("bucket-a")).toEqual([]);
    expect(bench.store.listKeys("bucket-b")).toEqual(KEYS);
    await bench.submit({ ...plain, ...back });
  });
});

describe("a retry", () => {
  it("never copies an old source over what the application has put at the new key since", async () => {
    const job = { ...plain, ...there, onConflict: "overwrite", delete: { when: "approved", after: "0s" } };
    const id = await bench.submit(job);
    const run = bench.work(id);
    while ((await bench.jobs.get(id)).objects.updated < KEYS.length)
      await new Promise((r) => setTimeout(r, 20));
    bench.store.putObject("bucket-b", KEYS[0] ?? "", "newer, by the application");
    await bench.jobs.act(id, "approve", "ann");
    expect((await run).state).toBe("completed_with_exceptions");
    await bench.retry(id);
    expect(await bench.exceptions(id)).toEqual({ [KEYS[0] ?? ""]: "target_changed" });
    expect(
      bench.store
        .getObject("bucket-b", KEYS[0] ?? "")
        ?.read()
        .toString(),
    ).toBe("newer, by the application");
    expect(bench.store.listKeys("bucket-a")).toEqual([KEYS[0]]);
  });

  it("replaces its own copy by the newer version of a source that was overwritten after it had been copied", async () => {
    const job = { ...plain, ...there, onConflict: "fail", delete: { when: "approved", after: "0s" } };
    const id = await bench.submit(job);
    const run = bench.work(id);
    while ((await bench.jobs.get(id)).objects.updated < KEYS.length)
      await new Promise((r) => setTimeout(r, 20));
    bench.store.putObject("bucket-a", KEYS[0] ?? "", "a newer source");
    await bench.jobs.act(id, "approve", "ann");
    expect((await run).state).toBe("completed_with_exceptions");
    expect(await bench.exceptions(id)).toEqual({ [KEYS[0] ?? ""]: "source_changed" });
    expect((await bench.retry(id)).state).toBe("completed");
    expect(
      bench.store
        .getObject("bucket-b", KEYS[0] ?? "")
        ?.read()
        .toString(),
    ).toBe("a newer source");
    expect(bench.store.listKeys("bucket-a")).toEqual([]);
  });
});

describe("a bucket under another name", () => {
  it("is refused when it is named as an access point's alias", async () => {
    bench.store.createBucket("my-ap-abcdef1234567890-s3alias");
    const target = { bucket: "my-ap-abcdef1234567890-s3alias", prefix: "image/" };
    await expect(bench.submit({ ...plain, source: there.source, target })).rejects.toMatchObject({
      code: "invalid_input",
      faults: [{ pointer: "/target/bucket" }],
    });
  });
});
