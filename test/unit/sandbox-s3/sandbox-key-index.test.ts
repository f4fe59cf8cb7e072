/** The byte-ordered key index and the checksums of the sandbox store, without a server. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KeyIndex } from "../../../src/sandbox-s3/buckets/key-index.ts";
import { joinBodies, PatternBody } from "../../../src/sandbox-s3/objects/object-body.ts";
import { fromByteOrder, toByteOrder } from "../../../src/sandbox-s3/protocol/byte-order.ts";
import { CHECKSUM_ALGORITHMS, startChecksum } from "../../../src/sandbox-s3/protocol/checksums.ts";
import { encodeListedName } from "../../../src/sandbox-s3/protocol/listing-parameters.ts";

/** Well-formed strings, rich in the characters whose UTF-16 order is not their byte order. */
const key = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0xe000, max: 0x10ffff }).map((code) => String.fromCodePoint(code)),
      fc.nat(0xd7ff).map((code) => String.fromCodePoint(code)),
      fc.constantFrom("\ue000", "\ufffd", "\ud7ff", "😀", "\u{10ffff}", "a", "/"),
    ),
    { maxLength: 4 },
  )
  .map((parts) => parts.join(""));

const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

describe("byte order", () => {
  test("sorts as the UTF-8 bytes do, and maps back", () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        const [x, y] = [toByteOrder(a), toByteOrder(b)];
        expect(Math.sign(byBytes(a, b))).toBe(x === y ? 0 : x < y ? -1 : 1);
        expect(fromByteOrder(x)).toBe(a);
      }),
      { numRuns: 1000 },
    );
  });

  test("differs from the order of JavaScript strings where S3's does", () => {
    expect("\ufffd" < "😀").toBe(false);
    expect(toByteOrder("\ufffd") < toByteOrder("😀")).toBe(true);
  });
});

describe("the key index", () => {
  test("behaves like a sorted map under any sequence of writes and deletes", () => {
    const command = fc.tuple(fc.boolean(), key, fc.nat());
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), key, (commands, from) => {
        const index = new KeyIndex<number>();
        const model = new Map<string, number>();
        for (const [isWrite, name, value] of commands) {
          if (isWrite) {
            index.set(name, value);
            model.set(name, value);
          } else expect(index.delete(name)).toBe(model.delete(name));
        }
        const sorted = [...model].sort(([a], [b]) => byBytes(a, b));
        expect([...index.entries()]).toEqual(sorted);
        expect(index.size).toBe(model.size);
        const next = sorted.find(([name]) => byBytes(name, from) > 0);
        const cursor = index.seek(toByteOrder(from), true);
        expect(cursor.ordered === undefined ? undefined : fromByteOrder(cursor.ordered)).toBe(next?.[0]);
      }),
    );
  });

  test("keeps its order across many chunks, whatever order keys come in", () => {
    const index = new KeyIndex<number>();
    const count = 20_000;
    for (let n = 0; n < count; n++) index.set(`k/${(n * 7919) % count}`, n);
    for (let n = 0; n < count; n += 2) expect(index.delete(`k/${n}`)).toBe(true);
    const keys = [...index.entries()].map(([name]) => name);
    expect(keys).toEqual(Array.from({ length: count / 2 }, (_, n) => `k/${n * 2 + 1}`).sort());
    expect(index.get("k/7")).toBeDefined();
    expect(index.get("k/8")).toBeUndefined();
  });
});

test("checksums give the published check values", () => {
  const digests = CHECKSUM_ALGORITHMS.slice(0, 3).map((algorithm) => {
    const running = startChecksum(algorithm);
    running.update(Buffer.from("12345"));
    running.update(Buffer.from("6789"));
    return running.digest().toString("hex");
  });
  expect(digests).toEqual(["cbf43926", "e3069283", "ae8b14860a799888"]);
});

test("listed names are form-encoded with their slashes kept, and decode again", () => {
  expect(encodeListedName("a b+c/ä~\u0001")).toBe("a+b%2Bc/%C3%A4%7E%01");
  fc.assert(
    fc.property(key, (name) => {
      expect(decodeURIComponent(encodeListedName(name).replaceAll("+", " "))).toBe(name);
    }),
  );
});

test("a huge pattern cut into parts and joined again is the same body", () => {
  const whole = new PatternBody(6 * 2 ** 30, 3);
  const cut = 5 * 2 ** 20 + 17;
  const joined = joinBodies([whole.slice(0, cut), whole.slice(cut, whole.size)]);
  expect(joined.md5()).toBe(whole.md5());
  expect(joined.checksum("crc64nvme")).toBe(whole.checksum("crc64nvme"));
  expect(joined.read(cut - 3, cut + 3)).toEqual(whole.read(cut - 3, cut + 3));
  expect(new PatternBody(6 * 2 ** 30, 4).md5()).not.toBe(whole.md5());
});
