/** What already stands at the target is replaced only when the job says so, and two sources never share a target. */

import { beforeEach, describe, expect, it } from "vitest";
import { bodyOf, moved } from "../../support/bystander.ts";
import { bench, benchForEach } from "../../support/worlds/bench-for-each.ts";
import { fillStore, imageKeys } from "../../support/worlds/workbench.ts";

benchForEach();

const KEYS = imageKeys(6);
const [SAME, OTHER] = KEYS as [string, string];
const FREE = KEYS.slice(2);

/** Two of six targets are taken: one by the same bytes with other metadata, one by other bytes. */
function occupy(bucket = "bucket-b"): void {
  bench.store.putObject(bucket, moved(SAME), `body of ${SAME}`, { metadata: { origin: "foreign" } });
  bench.store.putObject(bucket, moved(OTHER), "somebody else's", { metadata: { origin: "foreign" } });
}

const places = {
  "another bucket": { target: { bucket: "bucket-b", prefix: "avatar/" }, bucket: "bucket-b" },
  "the same bucket": { target: { bucket: "bucket-a", prefix: "avatar/" }, bucket: "bucket-a" },
};

describe.each(Object.entries(places))("in a move to %s", (_, { target, bucket }) => {
  beforeEach(() => {
    fillStore(bench.store, "bucket-a", KEYS);
    bench.addRows(KEYS);
    occupy(bucket);
  });

  it("fail leaves both objects that stand there and both sources", async () => {
    const job = await bench.move({ target, onConflict: "fail" });
    expect(await bench.exceptions(job.id)).toEqual({ [SAME]: "target_exists", [OTHER]: "target_exists" });
    expect(job.objects).toMatchObject({ planned: 6, moved: 4, exceptions: 2 });
    expect(bodyOf(bench, bucket, moved(OTHER))).toBe("somebody else's");
    expect(bench.store.getObject(bucket, moved(SAME))?.metadata).toEqual({ origin: "foreign" });
    expect(bench.store.listKeys("bucket-a", "image/")).toEqual([SAME, OTHER]);
    expect(bench.paths()).toEqual([SAME, OTHER, ...FREE.map(moved)]);
  });

  it("fail still refuses the same conflicts when it is retried without a cure", async () => {
    const job = await bench.move({ target, onConflict: "fail" });
    const again = await bench.retry(job.id);
    expect(await bench.exceptions(job.id)).toEqual({ [SAME]: "target_exists", [OTHER]: "target_exists" });
    expect(again.state).toBe("completed_with_exceptions");
    expect(bench.store.listKeys("bucket-a", "image/")).toEqual([SAME, OTHER]);
  });

  it("skip-identical goes on with the same bytes and refuses the others", async () => {
    const job = await bench.move({ target, onConflict: "skip-identical" });
    expect(await bench.exceptions(job.id)).toEqual({ [OTHER]: "target_exists" });
    expect(bench.store.getObject(bucket, moved(SAME))?.metadata).toEqual({ origin: "foreign" });
    expect(bodyOf(bench, bucket, moved(OTHER))).toBe("somebody else's");
    expect(bench.store.listKeys("bucket-a", "image/")).toEqual([OTHER]);
  });

  it("overwrite replaces both", async () => {
    const job = await bench.move({ target, onConflict: "overwrite" });
    expect(job).toMatchObject({ state: "completed", objects: { moved: 6 } });
    for (const key of KEYS) {
      expect(bodyOf(bench, bucket, moved(key))).toBe(`body of ${key}`);
      expect(bench.store.getObject(bucket, moved(key))?.metadata).toEqual({ origin: "test" });
    }
    expect(bench.store.listKeys("bucket-a", "image/")).toEqual([]);
  });
});

describe("an object that appears at the target between the look and the copy", () => {
  beforeEach(() => {
    fillStore(bench.store, "bucket-a", KEYS);
    bench.addRows(KEYS);
  });

  async function appearDuringCopy(body: string, onConflict: string) {
    return bench.moveWhile(
      { operation: "CopyObject", key: moved(OTHER) },
      () => bench.store.putObject("bucket-b", moved(OTHER), body, { metadata: { origin: "foreign" } }),
      { onConflict },
    );
  }

  it.each(["fail", "skip-identical"])("is not replaced under %s", async (onConflict) => {
    const job = await appearDuringCopy("somebody else's", onConflict);
    expect(await bench.exceptions(job.id)).toEqual({ [OTHER]: "target_exists" });
    expect(bodyOf(bench, "bucket-b", moved(OTHER))).toBe("somebody else's");
    expect(bodyOf(bench, "bucket-a", OTHER)).toBe(`body of ${OTHER}`);
  });

  it("is replaced under overwrite", async () => {
    const job = await appearDuringCopy("somebody else's", "overwrite");
    expect(job.state).toBe("completed");
    expect(bodyOf(bench, "bucket-b", moved(OTHER))).toBe(`body of ${OTHER}`);
  });
});

describe("a mapping that would lose objects", () => {
  beforeEach(() => fillStore(bench.store, "bucket-a", ["image/x", "image/avatar/x", "im/x"]));

  it.each([
    ["onto itself", "image/", "image/", "/target"],
    [
      "into the source prefix, where copies would be copied again",
      "image/",
      "image/avatar/",
      "/target/prefix",
    ],
    ["out of the target prefix, where sources would be targets", "image/avatar/", "image/", "/target/prefix"],
    ["of the whole bucket into a part of itself", "", "avatar/", "/target/prefix"],
    ["to a prefix that begins like the source without a slash between", "image/", "im", "/target/prefix"],
  ])("is refused before anything happens: %s", async (_, from, to, pointer) => {
    const submitted = bench.submit({
      source: { bucket: "bucket-a", prefix: from },
      target: { bucket: "bucket-a", prefix: to },
      references: [],
    });
    await expect(submitted).rejects.toMatchObject({ code: "invalid_input", faults: [{ pointer }] });
    expect(bench.store.requests.count("CopyObject")).toBe(0);
  });
});
