/** What goes wrong with lists of objects: manifests of every make, repetitions, rows far apart, filters and trial runs. */

import { gzipSync } from "node:zlib";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { csvManifest } from "../../../src/stores/manifest/csv-manifest.ts";
import { moved, sumsAgree, until, workWith } from "../../support/bystander.ts";
import { bench, benchForEach } from "../../support/worlds/bench-for-each.ts";
import { fillStore, imageKeys } from "../../support/worlds/workbench.ts";

const KEYS = imageKeys(9);

benchForEach();
beforeEach(() => void bench.store.createBucket("lists"));

const encoded = (key: string) => encodeURIComponent(key);

function putManifest(lines: readonly string[], name = "list.csv"): Record<string, unknown> {
  const text = `${lines.join("\n")}\n`;
  bench.store.putObject("lists", name, name.endsWith(".gz") ? gzipSync(text) : text);
  return { inventory: { from: "manifest", bucket: "lists", key: name }, references: [] };
}

describe("a manifest", () => {
  it.each(["list.csv", "list.csv.gz"])(
    "in %s names keys with + and %%20 for spaces, and %%2B for a plus",
    async (name) => {
      const keys = ["image/a b.png", "image/c d.png", "image/e+f.png", "image/%41.png", 'image/é,"q".png'];
      fillStore(bench.store, "bucket-a", [...keys, "image/not-listed.png"]);
      const job = await bench.move(
        putManifest(
          [
            "bucket-a,image/a+b.png",
            "bucket-a,image/c%20d.png",
            "bucket-a,image/e%2Bf.png",
            "bucket-a,image/%2541.png",
            `"bucket-a","${encoded(keys[4] as string)}","123"`,
          ],
          name,
        ),
      );
      expect(await bench.exceptions(job.id)).toEqual({});
      expect(job).toMatchObject({ state: "completed", objects: { planned: 5, moved: 5 } });
      expect(bench.store.listKeys("bucket-a")).toEqual(["image/not-listed.png"]);
      expect(bench.store.listKeys("bucket-b").sort()).toEqual(keys.map(moved).sort());
    },
  );

  it("may be a plain list of keys, with empty lines and keys of other prefixes", async () => {
    fillStore(bench.store, "bucket-a", [...KEYS, "other/x.png"]);
    const job = await bench.move(putManifest([...KEYS.map(encoded), "", "other/x.png"]));
    expect(job).toMatchObject({ state: "completed_with_exceptions", objects: { planned: 10, moved: 9 } });
    expect(await bench.exceptions(job.id)).toEqual({ "other/x.png": "outside_prefix" });
    expect(bench.store.listKeys("bucket-a")).toEqual(["other/x.png"]);
  });

  it("that names keys twice, near and far apart, moves each once and counts no conflict", async () => {
    fillStore(bench.store, "bucket-a", KEYS);
    const lines = [...KEYS, ...KEYS.slice(0, 3), ...KEYS].map((key) => `bucket-a,${encoded(key)}`);
    const job = await bench.move({ ...putManifest(lines), batchSize: 4 });
    expect(await bench.exceptions(job.id)).toEqual({});
    expect(job.state).toBe("completed");
    expect(sumsAgree(job)).toBe(true);
    expect(bench.store.listKeys("bucket-b")).toEqual(KEYS.map(moved));
    expect(bench.store.listKeys("bucket-a")).toEqual([]);
  });

  it("that names a key again after it has been moved calls it a duplicate, not a missing object", async () => {
    const [first, second] = KEYS as [string, string];
    fillStore(bench.store, "bucket-a", [first, second]);
    const job = putManifest([first, second, first].map((key) => `bucket-a,${encodeURIComponent(key)}`));
    const id = await bench.submit({ ...job, batchSize: 2 });
    const slowReader: typeof csvManifest = (store) => ({
      async *keys(...request) {
        for await (const item of csvManifest(store).keys(...request)) {
          if (item.record === 3) await until(() => bench.store.countObjects("bucket-a") === 0);
          yield item;
        }
      },
    });
    await workWith(bench, { manifestReader: slowReader }, id);
    expect(await bench.exceptions(id)).toEqual({});
    const after = await bench.jobs.get(id);
    expect(after).toMatchObject({ state: "completed", objects: { planned: 3, moved: 2, skipped: 1 } });
  });

  it("that names another bucket is refused before anything is moved", async () => {
    fillStore(bench.store, "bucket-a", KEYS);
    const lines = [...KEYS.map((key) => `bucket-a,${encoded(key)}`), "bucket-z,image/x.png"];
    await expect(bench.submit(putManifest(lines))).rejects.toMatchObject({
      code: "invalid_input",
      faults: [{ pointer: "/inventory" }],
    });
    expect(bench.store.requests.count("CopyObject")).toBe(0);
  });

  it("whose fault comes late pauses the job and names the record", async () => {
    const keys = imageKeys(120);
    fillStore(bench.store, "bucket-a", keys);
    const lines = keys.map((key) => `bucket-a,${encoded(key)}`);
    lines[110] = "bucket-z,image/x.png";
    const job = await bench.move({ ...putManifest(lines), batchSize: 50 });
    expect(job.state).toBe("paused");
    expect(job.reason).toMatch(/record 111/);
  });

  it("that names objects which are not there gives each its exception", async () => {
    fillStore(bench.store, "bucket-a", KEYS.slice(1));
    const job = await bench.move({
      ...putManifest(KEYS.map((key) => `bucket-a,${encoded(key)}`)),
      batchSize: 4,
    });
    expect(await bench.exceptions(job.id)).toEqual({ [KEYS[0] as string]: "source_missing" });
    expect(job.objects).toMatchObject({ planned: 9, moved: 8, exceptions: 1 });
  });

  it.each([
    ["cut off", gzipSync("bucket-a,image%2F000000.png\n").subarray(0, 20)],
    ["not compressed at all", Buffer.from("bucket-a,image%2F000000.png\n")],
  ])("that is %s is no end of the list but a fault", async (_, body) => {
    fillStore(bench.store, "bucket-a", KEYS);
    bench.store.putObject("lists", "bad.csv.gz", body);
    const inventory = { from: "manifest", bucket: "lists", key: "bad.csv.gz" };
    await expect(bench.submit({ inventory, references: [] })).rejects.toMatchObject({
      code: "invalid_input",
    });
  });
});

describe("two rows that name one key", () => {
  it.each([1, 2, 3, 50])(
    "are both rewritten and cost no conflict, in pages of %i rows",
    async (batchSize) => {
      fillStore(bench.store, "bucket-a", KEYS);
      bench.addRows([...KEYS, KEYS[0] as string, KEYS[4] as string, KEYS[8] as string, KEYS[0] as string]);
      const job = await bench.move({ batchSize });
      expect(await bench.exceptions(job.id)).toEqual({});
      expect(job.state).toBe("completed");
      expect(sumsAgree(job)).toBe(true);
      expect(bench.paths()).toEqual(
        [...KEYS, KEYS[0], KEYS[4], KEYS[8], KEYS[0]].map((key) => moved(key as string)),
      );
      expect(bench.store.listKeys("bucket-b")).toEqual(KEYS.map(moved));
      expect(bench.store.listKeys("bucket-a")).toEqual([]);
    },
  );

  it("whose object is missing are one exception and never called a duplicate of nothing", async () => {
    fillStore(bench.store, "bucket-a", KEYS.slice(1));
    bench.addRows([...KEYS, KEYS[0] as string]);
    const job = await bench.move({ batchSize: 3 });
    expect(await bench.exceptions(job.id)).toEqual({ [KEYS[0] as string]: "source_missing" });
    expect(job.state).toBe("completed_with_exceptions");
    expect(sumsAgree(job)).toBe(true);
  });
});

describe("a list that names everything twice", () => {
  it.each([
    ["objects that are missing", "source_missing"],
    ["objects whose new keys are taken", "target_exists"],
  ])("of %s has one exception each, and the ledger is asked once for a batch", async (_, code) => {
    if (code === "target_exists") fillStore(bench.store, "bucket-a", KEYS);
    for (const key of KEYS) bench.store.putObject("bucket-b", moved(key), "somebody else's");
    bench.store.putObject("bucket-a", "lists/twice", [...KEYS, ...KEYS].join("\n"));
    const asked = vi.spyOn(bench.ledger, "plannedBefore");
    const job = await bench.move({
      inventory: { from: "manifest", bucket: "bucket-a", key: "lists/twice" },
      references: [],
      batchSize: KEYS.length,
    });
    expect(await bench.exceptions(job.id)).toEqual(Object.fromEntries(KEYS.map((key) => [key, code])));
    expect(job).toMatchObject({ objects: { planned: 18, moved: 0, skipped: 9, exceptions: 9 } });
    expect(asked.mock.calls.map(([, keys, seq]) => [seq, [...keys].sort()]).sort()).toEqual([
      [1, KEYS],
      [2, KEYS],
    ]);
  });
});

describe("a job for a part", () => {
  it("leaves objects its filter does not want alone, rows included", async () => {
    const keys = ["image/a.png", "image/b.jpg", "image/tmp/c.png", "image/.hidden.png", "image/D.PNG"];
    fillStore(bench.store, "bucket-a", keys);
    bench.addRows(keys);
    const job = await bench.move({ filter: { include: ["**/*.png"], exclude: ["tmp/**"] } });
    expect(job).toMatchObject({ state: "completed", objects: { planned: 2, moved: 2 } });
    expect(bench.store.listKeys("bucket-a")).toEqual(["image/D.PNG", "image/b.jpg", "image/tmp/c.png"]);
    expect(bench.paths()).toEqual([
      "avatar/a.png",
      "image/b.jpg",
      "image/tmp/c.png",
      "avatar/.hidden.png",
      "image/D.PNG",
    ]);
  });

  it.each(["bucket", "database"])(
    "tries the first four objects of the %s, and a later job does the rest",
    async (from) => {
      fillStore(bench.store, "bucket-a", KEYS);
      bench.addRows(KEYS);
      const trial = await bench.move({ maxObjects: 4, batchSize: 3, inventory: { from } });
      expect(trial).toMatchObject({ state: "completed", objects: { planned: 4, moved: 4 } });
      expect(bench.store.listKeys("bucket-a")).toEqual(KEYS.slice(4));
      expect(bench.paths()).toEqual([...KEYS.slice(0, 4).map(moved), ...KEYS.slice(4)]);
      const rest = await bench.move({ batchSize: 3, inventory: { from } });
      expect(rest).toMatchObject({ state: "completed", objects: { planned: 5, moved: 5 } });
    },
  );

  it("that wants nothing at all says so loudly", async () => {
    fillStore(bench.store, "bucket-a", KEYS);
    const job = await bench.move({ inventory: { from: "bucket" }, filter: { include: ["*.never"] } });
    expect(job).toMatchObject({ state: "completed", objects: { planned: 0 } });
    expect(job.reason).toMatch(/nothing to do/);
  });

  it("with nothing under its prefix is refused", async () => {
    fillStore(bench.store, "bucket-a", ["images/x"]);
    await expect(bench.submit({ references: [] })).rejects.toMatchObject({
      code: "invalid_input",
      faults: [{ pointer: "/source/prefix" }],
    });
  });
});
