/** Buckets of numbered objects: a bit for each object, and to a client the same as a bucket that holds them all. */

import { CopyObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KeyIndex } from "../../../src/sandbox-s3/buckets/key-index.ts";
import { NumberedObjects } from "../../../src/sandbox-s3/objects/numbered-objects.ts";
import type { StoredVersion } from "../../../src/sandbox-s3/objects/stored-object.ts";
import { client, sandboxForAll, store } from "../../support/sandbox-client.ts";

const COUNT = 70;
const keyOf = (prefix: string, number: number) => prefix + String(number).padStart(9, "0");

describe("the index", () => {
  /** Keys of objects there may be, keys just past the last, and what merely looks like one. */
  const key = fc.oneof(
    fc.nat(COUNT + 2).map((number) => keyOf("p/", number)),
    fc.constantFrom("", "p", "p/", "p/00000000", "p/0000000010", "p/+00000001", "p/x", "q", "p/0000000 1"),
  );

  test.each([true, false])("behaves as one that holds every object, filled at first: %s", (filled) => {
    const command = fc.tuple(fc.boolean(), key);
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), key, fc.boolean(), (commands, from, exclusive) => {
        const index = new NumberedObjects({ prefix: "p/", count: COUNT, bytes: 9 }, 0, filled);
        const all = new NumberedObjects({ prefix: "p/", count: COUNT, bytes: 9 }, 0, true);
        const model = new KeyIndex<StoredVersion>();
        if (filled) for (const [name, value] of all.entries()) model.set(name, value);
        for (const [isWrite, name] of commands) {
          const value = all.get(name);
          if (!isWrite) expect(index.delete(name)).toBe(model.delete(name));
          else if (value !== undefined) {
            index.set(name, value);
            model.set(name, value);
          }
        }
        expect([...index.entries()].map(([name]) => name)).toEqual(
          [...model.entries()].map(([name]) => name),
        );
        expect(index.size).toBe(model.size);
        expect(index.seek(from, exclusive).ordered).toBe(model.seek(from, exclusive).ordered);
        expect(index.get(from) === undefined).toBe(model.get(from) === undefined);
      }),
    );
  });

  test("takes nothing but the object of the key's own number", () => {
    const index = new NumberedObjects({ prefix: "p/", count: COUNT, bytes: 9 }, 0, false);
    const other = new NumberedObjects({ prefix: "p/", count: COUNT, bytes: 10 }, 0, true);
    const all = new NumberedObjects({ prefix: "p/", count: COUNT, bytes: 9 }, 0, true);
    const object = all.get(keyOf("p/", 7)) as StoredVersion;
    expect(() => index.set(keyOf("p/", 8), object)).toThrow("NotImplemented");
    expect(() => index.set("p/7", object)).toThrow("NotImplemented");
    expect(() => index.set(keyOf("p/", 7), other.get(keyOf("p/", 7)) as StoredVersion)).toThrow(
      "NotImplemented",
    );
    expect(index.size).toBe(0);
    index.set(keyOf("p/", 7), object);
    expect(index.size).toBe(1);
  });

  test.each([
    [-1, 9],
    [1.5, 9],
    [2_000_000_000, 9],
    [1, 8],
  ])("refuses %d objects of %d bytes", (count, bytes) => {
    expect(() => new NumberedObjects({ prefix: "", count, bytes }, 0, true)).toThrow(RangeError);
  });
});

describe("a bucket of them", () => {
  sandboxForAll({
    buckets: [
      { name: "from", numbered: { prefix: "a/", count: 2500, bytes: 40, filled: true } },
      { name: "to", numbered: { prefix: "b/", count: 2500, bytes: 40, filled: false } },
    ],
  });

  test("keeps exact copies, with their own contents", async () => {
    const copied = await client.copyObject({
      Bucket: "to",
      Key: keyOf("b/", 1234),
      CopySource: `from/${keyOf("a/", 1234)}`,
    });
    expect(store.listKeys("to")).toEqual([keyOf("b/", 1234)]);
    const object = store.getObject("to", keyOf("b/", 1234));
    expect(copied.CopyObjectResult?.ETag).toBe(`"${object?.etag}"`);
    expect(object?.read().toString()).toBe("000001234".padEnd(40, "."));
    expect(object?.etag).not.toBe(store.getObject("from", keyOf("a/", 1235))?.etag);
  });

  test("refuses what it could not give back", async () => {
    const refusals = [
      new PutObjectCommand({ Bucket: "to", Key: keyOf("b/", 1), Body: "other" }),
      new PutObjectCommand({ Bucket: "to", Key: "canary", Body: "000000001".padEnd(40, ".") }),
    ];
    for (const command of refusals) {
      await expect(client.send(command)).rejects.toMatchObject({ name: "NotImplemented" });
    }
    const relabelled = new CopyObjectCommand({
      Bucket: "to",
      Key: keyOf("b/", 1),
      CopySource: `from/${keyOf("a/", 1)}`,
      StorageClass: "STANDARD_IA",
    });
    await expect(client.send(relabelled)).rejects.toMatchObject({ name: "NotImplemented" });
    expect(store.getObject("to", keyOf("b/", 1))).toBeUndefined();
  });
});
