/** The protocol of Copy_Logs, on dynalite's conditions, expressions and limits. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { CopyRecord, LandedObject } from "../../../src/engines/aws/copy-log-records.ts";
import { CopyLogs } from "../../../src/engines/aws/copy-logs.ts";
import { systemClock } from "../../../src/stores/system-clock.ts";
import { type CopyLogsTable, startCopyLogsTable } from "../../support/aws/events/copy-logs-table.ts";
import { hostileKeys } from "../../support/hostile-keys.ts";

const JOB = "job-1";
const patience = { clock: systemClock, mostMs: 2_000 };
let table: CopyLogsTable;
let logs: CopyLogs;

beforeAll(async () => {
  table = await startCopyLogsTable();
  logs = new CopyLogs(table.client, table.name, patience);
});
afterAll(() => table.close());
beforeEach(async () => {
  const names = Object.keys(await table.rows());
  await logs.remove(names.map(placeOf));
});

function record(key: string, more: Partial<CopyRecord> = {}): CopyRecord {
  const source = { bucket: "bucket-a", key: `image/${key}`, etag: "e1", size: 7 };
  return { job: JOB, batch: 3, source, target: { bucket: "bucket-b", key: `avatar/${key}` }, ...more };
}

function landed(key: string, more: Partial<LandedObject> = {}): LandedObject {
  return { bucket: "bucket-b", key: `avatar/${key}`, etag: "e1", size: 7, isByCopier: false, ...more };
}

function placeOf(name: string) {
  const slash = name.indexOf("/");
  return { bucket: name.slice(0, slash), key: name.slice(slash + 1) };
}

describe("a record", () => {
  it("holds source, version, size, batch and job under the target's name", async () => {
    expect(await logs.begin(record("k"))).toEqual({ kind: "recorded" });
    expect(await table.rows()).toEqual({
      "bucket-b/avatar/k": {
        Key: { S: "bucket-b/avatar/k" },
        Flag: { BOOL: false },
        Source: { S: "bucket-a/image/k" },
        Pinned: { S: "e1" },
        Size: { N: "7" },
        Batch: { N: "3" },
        Job: { S: JOB },
      },
    });
  });

  it("made again is the same one, and tells of its flag", async () => {
    await logs.begin(record("k"));
    expect(await logs.begin(record("k"))).toEqual({ kind: "recorded" });
    expect(await logs.flag(landed("k"))).not.toBeNull();
    const before = await table.rows();
    expect(await logs.begin(record("k"))).toEqual({ kind: "flagged", etag: "e1" });
    expect(await table.rows()).toEqual(before);
  });

  const others: [name: string, CopyRecord][] = [
    ["another consignment", record("k", { job: "job-2" })],
    ["another source", record("k", { source: { ...record("k").source, key: "other/k" } })],
    ["another version", record("k", { source: { ...record("k").source, etag: "e2" } })],
  ];
  it.each(others)("of %s is left alone, flagged or not", async (_name, other) => {
    await logs.begin(record("k"));
    const unflagged = await table.rows();
    expect(await logs.begin(other)).toEqual({ kind: "unrecorded" });
    expect(await table.rows()).toEqual(unflagged);
    await logs.flag(landed("k"));
    const flagged = await table.rows();
    expect(await logs.begin(other)).toEqual({ kind: "unrecorded" });
    expect(await table.rows()).toEqual(flagged);
  });

  it("is separate for each target bucket", async () => {
    await logs.begin(record("k"));
    const elsewhere = { bucket: "bucket-c", key: "avatar/k" };
    expect(await logs.begin(record("k", { job: "job-2", target: elsewhere }))).toEqual({ kind: "recorded" });
    expect(Object.keys(await table.rows())).toHaveLength(2);
  });

  it("fits for every hostile key and is removed again", async () => {
    for (const key of hostileKeys) expect(await logs.begin(record(key))).toEqual({ kind: "recorded" });
    for (const key of hostileKeys) expect(await logs.flag(landed(key)), key).not.toBeNull();
    const places = hostileKeys.map((key) => record(key).target);
    expect((await logs.flagged(places)).size).toBe(hostileKeys.length);
    await logs.remove(places);
    expect(await table.rows()).toEqual({});
  });

  const rest = 2048 - "bucket-b/avatar/".length;
  it.each([
    ["é", "é".repeat(rest / 2)],
    ["x", "x".repeat(rest)],
  ])(
    "of %s is made for names of 2,048 bytes, and not for longer ones, which break no call",
    async (more, longest) => {
      expect(await logs.begin(record(longest))).toEqual({ kind: "recorded" });
      expect(await logs.begin(record(longest + more))).toEqual({ kind: "unrecorded" });
      expect(await logs.flag(landed(longest + more))).toBeNull();
      await logs.flag(landed(longest));
      const places = [record(longest).target, record(longest + more).target];
      expect([...(await logs.flagged(places)).keys()]).toEqual([`bucket-b/avatar/${longest}`]);
      await logs.remove(places);
      expect(await table.rows()).toEqual({});
    },
  );
});

describe("an event", () => {
  it("flags its record, however often it comes", async () => {
    await logs.begin(record("k"));
    for (const _ of [1, 2]) expect(await logs.flag(landed("k"))).not.toBeNull();
    expect((await table.rows())["bucket-b/avatar/k"]).toMatchObject({
      Flag: { BOOL: true },
      ETag: { S: "e1" },
    });
  });

  it("before its record makes none, and the record is unflagged", async () => {
    expect(await logs.flag(landed("k"))).toBeNull();
    expect(await table.rows()).toEqual({});
    expect(await logs.begin(record("k"))).toEqual({ kind: "recorded" });
  });

  it("after the removal of its record makes none", async () => {
    await logs.begin(record("k"));
    await logs.flag(landed("k"));
    await logs.remove([record("k").target]);
    expect(await logs.flag(landed("k"))).toBeNull();
    expect(await logs.flag(landed("k", { isByCopier: true }))).toBeNull();
    expect(await table.rows()).toEqual({});
  });

  it.each([
    ["another ETag", { etag: "e2" }],
    ["another size", { size: 8 }],
    ["another size, by the function's role", { size: 8, isByCopier: true }],
    ["another bucket", { bucket: "bucket-c" }],
  ])("of %s flags nothing", async (_name, more) => {
    await logs.begin(record("k"));
    const before = await table.rows();
    expect(await logs.flag(landed("k", more))).toBeNull();
    expect(await table.rows()).toEqual(before);
  });

  it("by the function's role may have another ETag, which is recorded", async () => {
    await logs.begin(record("k"));
    expect(await logs.flag(landed("k", { etag: "kms-1", isByCopier: true }))).not.toBeNull();
    expect(await logs.begin(record("k"))).toEqual({ kind: "flagged", etag: "kms-1" });
  });
});

describe("many records", () => {
  it("are read and removed by the page, named twice or unknown as they may be", async () => {
    const keys = Array.from({ length: 203 }, (_, at) => `many/${at}`);
    await Promise.all(keys.map((key) => logs.begin(record(key))));
    await Promise.all(keys.slice(1).map((key) => logs.flag(landed(key))));
    const places = [...keys.flatMap((key) => [key, key]), "unknown"].map((key) => record(key).target);
    const found = await logs.flagged(places);
    expect(found.size).toBe(202);
    expect(found.has("bucket-b/avatar/many/0")).toBe(false);
    expect(found.get("bucket-b/avatar/many/202")).toEqual({
      job: JOB,
      source: "bucket-a/image/many/202",
      pinned: "e1",
      size: 7,
      etag: "e1",
    });
    await logs.remove(places);
    expect(await table.rows()).toEqual({});
    await logs.remove(places);
  });

  it("that are not of this program's form are not read", async () => {
    const full = {
      Job: { S: "j" },
      Source: { S: "s" },
      Pinned: { S: "p" },
      ETag: { S: "e" },
      Size: { N: "1" },
    };
    const Flag = { BOOL: true };
    const { ETag: _, ...withoutEtag } = full;
    await table.put({ Key: { S: "bucket-b/1" }, ...full, Flag });
    await table.put({ Key: { S: "bucket-b/2" }, ...withoutEtag, Flag });
    await table.put({ Key: { S: "bucket-b/3" }, ...full, Flag: { S: "true" } });
    const places = ["1", "2", "3"].map((key) => ({ bucket: "bucket-b", key }));
    expect([...(await logs.flagged(places)).keys()]).toEqual(["bucket-b/1"]);
  });
});

describe("a table that cannot be used", () => {
  it("is refused by name", async () => {
    const missing = new CopyLogs(table.client, "No_Table", patience);
    const refusal = { code: "engine_refused", message: expect.stringContaining("ResourceNotFoundException") };
    await expect(missing.begin(record("k"))).rejects.toMatchObject(refusal);
    await expect(missing.flag(landed("k"))).rejects.toMatchObject(refusal);
    await expect(missing.flagged([record("k").target])).rejects.toMatchObject(refusal);
    await expect(missing.remove([record("k").target])).rejects.toMatchObject(refusal);
  });

  it("is left when the caller stops", async () => {
    await expect(logs.begin(record("k"), AbortSignal.abort())).rejects.toMatchObject({ code: "stopped" });
    expect(await table.rows()).toEqual({});
  });
});
