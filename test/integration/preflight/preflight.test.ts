/** Preflight counts by the job's own plan, whatever the inventory, and writes nothing: no object, no row, no ledger. */

import { beforeEach, describe, expect, it } from "vitest";
import type { ReferenceSpec } from "../../../src/domain/job-spec.ts";
import { preflight } from "../../../src/jobs/preflight/preflight.ts";
import { copiesMade, moved } from "../../support/bystander.ts";
import { bench, benchForEach } from "../../support/worlds/bench-for-each.ts";
import { fillStore, IMAGES, imageKeys } from "../../support/worlds/workbench.ts";

const KEYS = imageKeys(20);
const PLACES = {
  source: { bucket: "bucket-a", prefix: "image/" },
  target: { bucket: "bucket-b", prefix: "avatar/" },
};
const WRITES = ["CopyObject", "DeleteObjects", "DeleteObject", "PutObject", "UploadPartCopy"] as const;

benchForEach({ objects: KEYS });
beforeEach(() => void bench.store.createBucket("lists"));

/** Reports on a job, and makes sure that nothing was written on the way. */
async function look(job: object) {
  const before = {
    rows: bench.app.prepare("SELECT * FROM images ORDER BY id").all(),
    objects: ["bucket-a", "bucket-b", "lists"].map((bucket) => bench.store.listKeys(bucket)),
  };
  bench.store.requests.reset();
  const ledgerUses: string[] = [];
  const ledger = new Proxy(bench.ledger, {
    get(target, name) {
      ledgerUses.push(String(name));
      const member: unknown = Reflect.get(target, name);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
  const counted: number[] = [];
  const report = await preflight(
    { ...bench.parts, ledger },
    { ...PLACES, ...job },
    { canary: false, onProgress: (objects) => counted.push(objects) },
  );
  expect(counted.at(-1)).toBe(report.objects);
  expect(counted).toEqual([...counted].sort((a, b) => a - b));
  for (const operation of WRITES) expect(bench.store.requests.count(operation), operation).toBe(0);
  expect(ledgerUses, "members of the ledger that were used").toEqual([]);
  expect((await bench.ledger.jobs({ states: null, limit: 10, cursor: null })).items).toEqual([]);
  expect((await bench.ledger.batches("", null, 10)).items).toEqual([]);
  expect(bench.app.prepare("SELECT * FROM images ORDER BY id").all()).toEqual(before.rows);
  expect(["bucket-a", "bucket-b", "lists"].map((bucket) => bench.store.listKeys(bucket))).toEqual(
    before.objects,
  );
  return report;
}

const bytesOf = (keys: readonly string[]) => keys.reduce((sum, key) => sum + `body of ${key}`.length, 0);
const problemsOf = ({ problems }: Awaited<ReturnType<typeof look>>) =>
  Object.fromEntries(
    problems.map(({ code, message, examples }) => [code, [Number.parseInt(message, 10), examples]]),
  );

function manifest(keys: readonly string[]) {
  const lines = keys.map((key) => `bucket-a,${encodeURIComponent(key)}\n`);
  bench.store.putObject("lists", "list.csv", lines.join(""));
  return { from: "manifest", bucket: "lists", key: "list.csv" };
}

describe("preflight counts", () => {
  it("what the bucket has under the prefix, batch by batch", async () => {
    for (const batchSize of [1, 7, 1000]) {
      const report = await look({ batchSize });
      expect(report).toMatchObject({ ok: true, objects: 20, bytes: bytesOf(KEYS), problems: [] });
    }
  });

  it("what the rows name", async () => {
    const named = KEYS.slice(3, 8);
    bench.addRows([...named, named[0] as string, "other/x.png"]);
    const report = await look({ references: [IMAGES] });
    expect(report).toMatchObject({ ok: true, objects: 5, bytes: bytesOf(named), requests: { copy: 5 } });
    const others = [...KEYS.slice(0, 3), ...KEYS.slice(8, 10)];
    expect(problemsOf(report)).toEqual({ object_without_row: [15, others] });
  });

  it("what the manifest names", async () => {
    const named = [KEYS[11], KEYS[4]] as string[];
    const report = await look({ inventory: manifest([...named, "other/x.png", ...named]) });
    expect(report).toMatchObject({ ok: true, objects: 2, bytes: bytesOf(named) });
    expect(problemsOf(report)).toEqual({ outside_prefix: [1, ["other/x.png"]] });
  });

  it.each(["bucket", "database", "manifest"])(
    "what the filter and maxObjects leave of the %s inventory",
    async (from) => {
      bench.addRows(KEYS);
      const inventory = from === "manifest" ? manifest(KEYS) : { from };
      const job = { inventory, references: [IMAGES], batchSize: 3 };
      const filter = { include: ["*5.png", "*6.png"], exclude: ["*16.png"] };
      expect(await look({ ...job, filter })).toMatchObject({ objects: 3, problems: [] });
      expect(await look({ ...job, maxObjects: 7 })).toMatchObject({ objects: 7, problems: [] });
      expect(await look({ ...job, filter, maxObjects: 2 })).toMatchObject({ objects: 2, problems: [] });
    },
  );

  it("as many objects as the job then moves", async () => {
    bench.addRows([...KEYS.slice(0, 12), "image/lost.png"]);
    const job = { references: [IMAGES], batchSize: 5, delete: { when: "verified", after: "0s" } };
    const { objects } = await look(job);
    expect((await bench.move(job)).objects).toMatchObject({ moved: objects, exceptions: 1 });
  });
});

describe("preflight finds", () => {
  it("every object that a row or the manifest names and the source has not", async () => {
    const lost = Array.from({ length: 230 }, (_, i) => `image/lost-${String(i).padStart(3, "0")}.png`);
    bench.addRows([...KEYS, ...lost]);
    const expected = { object_missing: [230, lost.slice(0, 5)] };
    const fromRows = await look({ references: [IMAGES], batchSize: 100 });
    expect(fromRows).toMatchObject({ ok: true, objects: 20, requests: { copy: 20 } });
    expect(problemsOf(fromRows)).toEqual(expected);
    const fromList = await look({ inventory: manifest([...KEYS, ...lost]), batchSize: 100 });
    expect(fromList).toMatchObject({ ok: true, objects: 20 });
    expect(problemsOf(fromList)).toEqual(expected);
  });

  it("every object without a row, where the rows are not the inventory", async () => {
    bench.addRows(KEYS.slice(0, 13));
    for (const inventory of [{ from: "bucket" }, manifest(KEYS)]) {
      const report = await look({ inventory, references: [IMAGES], batchSize: 4 });
      expect(report).toMatchObject({ ok: true, objects: 20 });
      expect(problemsOf(report)).toEqual({ object_without_row: [7, KEYS.slice(13, 18)] });
    }
  });

  it("a large table without an index, and does not search it for every batch", async () => {
    bench.app.exec("DROP INDEX images_path");
    bench.addRows([...KEYS, ...imageKeys(11_000, 100)]);
    const statements: Record<string, number> = {};
    const connections = {
      ...bench.parts.connections,
      reference: (spec: ReferenceSpec) => bench.parts.connections.reference(spec, statements),
    };
    const job = { ...PLACES, inventory: { from: "bucket" }, references: [IMAGES], batchSize: 1 };
    const report = await preflight({ ...bench.parts, connections }, job, { canary: false });
    expect(report).toMatchObject({ ok: false, objects: 20 });
    expect(problemsOf(report)).toEqual({ column_not_indexed: [Number.NaN, [expect.any(String)]] });
    expect(statements.app ?? 0).toBeLessThan(20);
  });

  it("every value that names no key", async () => {
    const urlPrefix = "https://cdn.example/";
    bench.addRows([...KEYS, "image/y.png?w=100", "image/%zz"].map((key) => urlPrefix + key));
    const report = await look({ references: [{ ...IMAGES, urlPrefix }] });
    expect(report).toMatchObject({ ok: true, objects: 20 });
    expect(problemsOf(report)).toEqual({ value_not_understood: [2, ["image/y.png?w=100", "image/%zz"]] });
  });

  it("limits at which hardly anything moves, and lets the job run all the same", async () => {
    bench.addRows(KEYS);
    const report = await look({ references: [IMAGES], limits: { rowsPerSecond: 0.00001 } });
    expect(report.ok).toBe(true);
    expect(report.problems).toEqual([
      {
        severity: "warning",
        code: "limit_below_one_object",
        message: expect.stringContaining("/limits/rowsPerSecond"),
        examples: [],
      },
    ]);
  });

  it("what stands at the target keys of the inventory, and no other", async () => {
    const [same, other, elsewhere] = KEYS as [string, string, string];
    bench.store.putObject("bucket-b", moved(same), `body of ${same}`);
    bench.store.putObject("bucket-b", moved(other), "somebody else's");
    bench.store.putObject("bucket-b", moved(elsewhere), "not in the way");
    const report = await look({ inventory: manifest([other, same]) });
    expect(report.ok).toBe(false);
    expect(problemsOf(report)).toEqual({
      target_identical: [1, [moved(same)]],
      target_exists: [1, [moved(other)]],
    });
  });

  it("objects that the store will not tell about, and goes on with the others", async () => {
    const far = KEYS.map((key, i) => `image/${String(i).padStart(2, "0")}/x/${key.slice(6)}`);
    for (const key of far) {
      const crowd = Array.from({ length: 100 }, (_, i) => key.replace("/x/", `/a${i}/`));
      fillStore(bench.store, "bucket-a", [...crowd, key]);
    }
    bench.store.faults.add({
      operation: "HeadObject",
      key: far[19] as string,
      effect: { type: "access-denied" },
    });
    const report = await look({ inventory: manifest(far) });
    expect(report).toMatchObject({ ok: true, objects: 19 });
    expect(problemsOf(report)).toEqual({ access_denied: [1, [far[19]]] });
  });
});

describe("preflight estimates", () => {
  it.each(["bucket", "database", "manifest"])("the requests of a job on the %s inventory", async (from) => {
    const keys = imageKeys(2500);
    fillStore(bench.store, "bucket-a", keys);
    const named = from === "bucket" ? keys : keys.filter((_, i) => i < 1200 || i % 200 === 0);
    bench.addRows(named);
    const inventory = from === "manifest" ? manifest(named) : { from };
    const job = { inventory, references: [IMAGES], delete: { when: "verified", after: "0s" } };
    const { requests } = await look(job);
    bench.store.requests.reset();
    expect(await bench.move(job)).toMatchObject({ state: "completed" });
    const sent = (operation: "ListObjectsV2" | "HeadObject" | "CopyObject" | "DeleteObjects") =>
      bench.store.requests.count(operation);
    expect(requests.copy).toBe(copiesMade(bench));
    // The first key of each batch may go by itself, twice: it shows whether the store keeps to conditions.
    expect(sent("DeleteObjects") - requests.delete).toBeGreaterThanOrEqual(2);
    expect(sent("DeleteObjects") - requests.delete).toBeLessThanOrEqual(2 * 3);
    // Each batch looks again, by a HEAD or a listing of either side, before the deletion that shows what the store is,
    // and where its looks have aged while it waited for its turn. Submitting looks around as well.
    expect(Math.abs(requests.head - sent("HeadObject"))).toBeLessThanOrEqual(2 * 3);
    expect(Math.abs(requests.list - sent("ListObjectsV2"))).toBeLessThanOrEqual(3 + 4 * 3);
  });

  it("a HEAD for both sides of every object when checksums are to be compared", async () => {
    const { requests } = await look({ verify: "checksum" });
    expect(requests).toEqual({ list: 5, copy: 20, head: 40, delete: 1 });
    const kept = await look({ delete: { when: "never" } });
    expect(kept.requests).toEqual({ list: 3, copy: 20, head: 0, delete: 0 });
  });
});

describe("preflight stops", () => {
  it.each(["bucket", "database", "manifest"])("when asked to, with the %s inventory", async (from) => {
    bench.addRows(KEYS);
    const inventory = from === "manifest" ? manifest(KEYS) : { from };
    const stop = new AbortController();
    const job = { ...PLACES, inventory, references: [IMAGES], batchSize: 4 };
    const asked = bench.jobs.preflight(job, {
      canary: false,
      signal: stop.signal,
      onProgress: () => stop.abort(),
    });
    await expect(asked).rejects.toMatchObject({ code: "stopped" });
  });
});
