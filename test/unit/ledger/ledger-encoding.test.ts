/** The ledger's own forms: blobs of objects and outcomes, fingerprints, cursors, ids, canonical JSON, addresses. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BatchObject, PlannedObject } from "../../../src/domain/batch.ts";
import { canonicalJson } from "../../../src/domain/canonical-json.ts";
import { decodeObjects, encodeObjects } from "../../../src/stores/ledger/batches/batch-encoding.ts";
import { fingerprintsOf } from "../../../src/stores/ledger/batches/key-fingerprints.ts";
import { encodeOutcomes, withOutcomes } from "../../../src/stores/ledger/batches/outcome-encoding.ts";
import { unpack } from "../../../src/stores/ledger/batches/packed-json.ts";
import { exactNumber } from "../../../src/stores/ledger/columns/exact-number.ts";
import { JOB_ID, jobIds } from "../../../src/stores/ledger/jobs/job-ids.ts";
import { readLedgerAddress } from "../../../src/stores/ledger/ledger-address.ts";
import { pageOf, readCursor } from "../../../src/stores/ledger/page-cursor.ts";
import { hostileKeys } from "../../support/hostile-keys.ts";

/** Any UTF-16 string, lone surrogates and control characters included. */
const ANY_TEXT = fc
  .array(fc.oneof(fc.nat(0xffff), fc.constantFrom(0, 9, 0x20, 0x2f, 0xd800, 0xdfff, 0xfffd)), {
    maxLength: 12,
  })
  .map((units) => String.fromCharCode(...units));
const ETAG = fc.oneof(
  fc.stringMatching(/^[0-9a-f]{32}$/),
  fc.stringMatching(/^[0-9a-f]{32}-[0-9]{1,7}$/),
  fc.stringMatching(/^[0-9A-F]{32}$/),
  ANY_TEXT,
);
const ROW_ID = fc.oneof(fc.nat().map(String), fc.bigInt(0n, 2n ** 64n - 1n).map(String), ANY_TEXT);
const PLANNED: fc.Arbitrary<PlannedObject> = fc.record({
  key: fc.oneof(
    ANY_TEXT,
    fc.constantFrom(...hostileKeys),
    ANY_TEXT.map((text) => `image/2024/${text}`),
  ),
  size: fc.oneof(fc.nat(), fc.maxSafeNat()),
  etag: ETAG,
  storageClass: fc.option(fc.constantFrom("GLACIER", "STANDARD_IA", "")),
  modifiedAt: fc.option(fc.integer({ min: 0, max: 4_000_000_000 }).map((second) => second * 1000)),
  rows: fc.array(fc.record({ reference: fc.nat(3), id: ROW_ID }), { maxLength: 3 }),
});
const OUTCOME = fc.oneof(
  fc.constant({ kind: "pending" } as const),
  fc.constant({ kind: "moved" } as const),
  fc
    .constantFrom("duplicate", "retried", "cancelled")
    .map((reason) => ({ kind: "skipped", reason }) as const),
  ANY_TEXT.map((message) => ({ kind: "exception", code: "copy_refused", message }) as const),
);
const OBJECT = fc
  .tuple(PLANNED, OUTCOME, fc.oneof(fc.constant(null), fc.constant("same"), ETAG))
  .map(([planned, outcome, target]): BatchObject => {
    return { ...planned, outcome, targetEtag: target === "same" ? planned.etag : target } as BatchObject;
  });

describe("a batch's blobs", () => {
  test("outcomes stand in the ledger under the names that earlier versions read", () => {
    const object = { key: "a", size: 1, etag: "e", storageClass: null, modifiedAt: null, rows: [] };
    const copied = { ...object, targetEtag: "e", outcome: { kind: "pending" } as const };
    const moved = { ...object, targetEtag: "e", outcome: { kind: "moved" } as const };
    const blob = encodeOutcomes([copied, moved]) as Buffer;
    expect(unpack(blob)).toEqual({ d: [{ kind: "going" }, { kind: "moved" }], f: [0, 1], t: 0 });
  });

  test("objects come back exactly, whatever their strings", () => {
    fc.assert(
      fc.property(fc.array(PLANNED, { maxLength: 20 }), (objects) => {
        expect(decodeObjects(encodeObjects(objects))).toEqual(objects);
      }),
    );
  });

  test("outcomes come back exactly, and nothing is stored while nothing has happened", () => {
    fc.assert(
      fc.property(fc.array(OBJECT, { maxLength: 20 }), (objects) => {
        const encoded = encodeOutcomes(objects);
        expect(withOutcomes(decodeObjects(encodeObjects(objects)), encoded)).toEqual(objects);
        const untouched = objects.every(
          (object) => object.outcome.kind === "pending" && object.targetEtag === null,
        );
        expect(encoded === null).toBe(untouched);
      }),
    );
  });

  test("outcomes that are all alike take a few bytes", () => {
    const moved = Array.from({ length: 1_000 }, (_, n) => {
      const etag = n.toString(16).padStart(32, "0");
      const base = { key: `${n}`, size: 1, etag, storageClass: null, modifiedAt: null, rows: [] };
      return { ...base, targetEtag: etag, outcome: { kind: "moved" } } as BatchObject;
    });
    expect(encodeOutcomes(moved)?.length).toBeLessThan(64);
  });

  test("a form of a later version is refused, not misread", () => {
    const encoded = encodeObjects([]);
    encoded.writeUInt8(2, 0);
    expect(() => decodeObjects(encoded)).toThrow("unknown form 2");
  });

  test("each key's fingerprint is among its batch's, and hardly any other's is", () => {
    const keys = Array.from({ length: 1_000 }, (_, n) => `image/${n}.png`);
    const all = fingerprintsOf(keys);
    for (const key of keys) expect(all.includes(fingerprintsOf([key]))).toBe(true);
    const strangers = keys.filter((key) => all.includes(fingerprintsOf([`${key}x`])));
    expect(strangers.length).toBeLessThan(3);
    const distinct = new Set(hostileKeys.map((key) => fingerprintsOf([key]).toString("hex")));
    expect(distinct.size).toBe(hostileKeys.length);
  });
});

describe("identifiers and cursors", () => {
  test("ids made in one millisecond sort in the order they were made", () => {
    const newId = jobIds();
    const ids = Array.from({ length: 1_000 }, (_, n) => newId(1_790_000_000_000 + Math.floor(n / 500)));
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(1_000);
    for (const id of ids) expect(id).toMatch(JOB_ID);
  });

  test("a cursor is good for the list that gave it", () => {
    const page = pageOf("batches", [1, 2, 3], 2, { position: (n) => n, item: (n) => n });
    expect(page.items).toEqual([1, 2]);
    expect(readCursor("batches", page.next)).toBe("2");
    expect(() => readCursor("audit", page.next)).toThrow("cursor");
    expect(pageOf("batches", [1, 2], 2, { position: (n) => n, item: (n) => n }).next).toBeNull();
  });

  test("any text is a cursor or invalid input, never an accident", () => {
    fc.assert(
      fc.property(ANY_TEXT, (text) => {
        expect(() => readCursor("batches", text)).toThrow("The cursor is not one that this list gave.");
      }),
    );
  });
});

describe("canonical JSON", () => {
  test("does not depend on the order of keys, at any depth", () => {
    const a = { b: [{ y: 1, x: null }], a: "é" };
    const b = { a: "é", b: [{ x: null, y: 1 }] };
    expect(canonicalJson(a)).toBe(canonicalJson(b));
    expect(canonicalJson(a)).toBe('{"a":"é","b":[{"x":null,"y":1}]}');
  });

  test("keeps values and the order of lists", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe("the ledger's address", () => {
  test("is a file, or a MariaDB or MySQL schema", () => {
    expect(readLedgerAddress("sqlite:./a b.db")).toEqual({ kind: "sqlite", file: "./a b.db" });
    expect(readLedgerAddress("mysql://u%40x:p%2Fw@db.example/tranship")).toEqual({
      ...{ kind: "mysql", host: "db.example", port: 3306 },
      ...{ user: "u@x", password: "p/w", database: "tranship", tls: false },
    });
  });

  test.each(["", "sqlite:", "postgres://u:hunter2@h/d", "mysql://u:hunter2@h", "mysql://u:hunter2@h:x/d"])(
    "is refused otherwise, without showing a password: %s",
    (url) => {
      expect(() => readLedgerAddress(url)).toThrow(/must be sqlite:FILE or mysql/);
      try {
        readLedgerAddress(url);
      } catch (error) {
        expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain("hunter2");
      }
    },
  );

  test("numbers that cannot be read exactly are refused", () => {
    expect(exactNumber("9007199254740991")).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => exactNumber("9007199254740993")).toThrow(RangeError);
    expect(() => exactNumber("x")).toThrow(RangeError);
  });
});
