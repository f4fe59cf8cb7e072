/** The S3 adapter's decisions that need no store: encoding, part sizes, kinds of faults, archives, identity. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runParallel } from "../../../src/stores/s3/client/run-parallel.ts";
import { endpointIdentity } from "../../../src/stores/s3/client/store-config.ts";
import { copySource } from "../../../src/stores/s3/copy/copy-source.ts";
import { choosePartBytes, defaultPartBytes, partRanges } from "../../../src/stores/s3/copy/part-plan.ts";
import { isVerifiableInParts, type SourceMetadata } from "../../../src/stores/s3/copy/source-metadata.ts";
import { decodeListedKey } from "../../../src/stores/s3/read/listing.ts";
import { checksumsOf, needsRestore } from "../../../src/stores/s3/read/object-facts.ts";
import { faultKind } from "../../../src/stores/s3/s3-errors.ts";

const MIB = 1024 ** 2;
const anyKey = fc.string({ unit: "binary", minLength: 1, maxLength: 60 });

describe("copySource", () => {
  it("survives the decoding S3 does, for any key", () => {
    fc.assert(
      fc.property(anyKey, (key) => {
        const source = copySource("bucket", key);
        expect(source).toMatch(/^[A-Za-z0-9\-._~%/]+$/);
        expect(decodeURIComponent(source.replaceAll("+", " "))).toBe(`bucket/${key}`);
      }),
    );
  });

  it("encodes what encodeURIComponent leaves alone", () => {
    expect(copySource("b", "a+b/!'()*")).toBe("b/a%2Bb/%21%27%28%29%2A");
  });
});

describe("decodeListedKey", () => {
  it("reads both spellings of a space, and of any key", () => {
    fc.assert(
      fc.property(anyKey, (key) => {
        const encoded = encodeURIComponent(key);
        expect(decodeListedKey(encoded)).toBe(key);
        expect(decodeListedKey(encoded.replaceAll("%20", "+").replaceAll("%2F", "/"))).toBe(key);
      }),
    );
  });

  it("refuses bytes that are not UTF-8 instead of guessing", () => {
    expect(() => decodeListedKey("caf%E9")).toThrow(expect.objectContaining({ code: "store_refused" }));
  });
});

describe("choosePartBytes", () => {
  const etag = "d41d8cd98f00b204e9800998ecf8427e";
  it.each([
    ["the source's own size", 11 * MIB, `${etag}-3`, 5 * MIB, 64 * MIB, 5 * MIB],
    ["a usual size that fits the number of parts", 11 * MIB, `${etag}-2`, null, 64 * MIB, 8 * MIB],
    ["one part", 3 * MIB, `${etag}-1`, 3 * MIB, 64 * MIB, 3 * MIB],
    ["the preferred size for an object not uploaded in parts", 11 * MIB, etag, null, 6 * MIB, 6 * MIB],
    ["the preferred size when no size fits", 11 * MIB, `${etag}-9`, null, 6 * MIB, 6 * MIB],
    ["not a size that contradicts the number of parts", 11 * MIB, `${etag}-9`, 5 * MIB, 6 * MIB, 6 * MIB],
    ["at least 5 MiB", 11 * MIB, etag, null, 1, 5 * MIB],
    ["at most 10,000 parts", 5e12, etag, null, 64 * MIB, 5e8],
  ])("gives %s", (_, size, of, firstPartBytes, preferred, expected) => {
    expect(choosePartBytes({ size, etag: of, firstPartBytes }, preferred)).toBe(expected);
  });

  it("cuts without a gap", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 200, max: 9_000 }),
        (size, bytes) => {
          const ranges = partRanges(size, bytes);
          expect(ranges[0]?.first).toBe(0);
          expect(ranges.at(-1)?.last).toBe(size - 1);
          for (const [at, { number, first, last }] of ranges.entries()) {
            expect(number).toBe(at + 1);
            expect(last - first).toBeLessThan(bytes);
            if (at > 0) expect(first).toBe((ranges[at - 1]?.last ?? 0) + 1);
          }
        },
      ),
    );
  });
});

describe("defaultPartBytes", () => {
  it.each([
    ["16 MiB at least", 256, 32, 16],
    ["as many parts as go at once", 1024, 32, 32],
    ["whole MiB, so that none is left over", 1000, 32, 32],
    ["more of each with less at once", 256, 8, 32],
    ["64 MiB at most", 5000, 32, 64],
  ])("gives %s", (_, mib, partConcurrency, expected) => {
    expect(defaultPartBytes(mib * MIB, partConcurrency)).toBe(expected * MIB);
  });
});

describe("isVerifiableInParts", () => {
  const md5 = "d41d8cd98f00b204e9800998ecf8427e";
  const whole = { ChecksumAlgorithm: "CRC64NVME", ChecksumType: "FULL_OBJECT" } as const;
  const kms = { ServerSideEncryption: "aws:kms" } as const;
  it.each<[string, string, number | null, SourceMetadata["kept"], boolean]>([
    ["a checksum over the whole object", md5, null, whole, true],
    ["such a checksum, KMS or not", `${md5}-2`, 8 * MIB, { ...whole, ...kms }, true],
    ["nothing but an MD5", md5, null, {}, false],
    ["the same parts", `${md5}-2`, 8 * MIB, {}, true],
    ["the same parts with KMS, whose ETags say nothing", `${md5}-2`, 8 * MIB, kms, false],
    ["parts that the store does not tell of", `${md5}-2`, null, {}, false],
    ["parts of uneven sizes", `${md5}-2`, 5 * MIB, {}, false],
  ])("judges an object with %s", (_, etag, firstPartBytes, kept, expected) => {
    const metadata = { size: 11 * MIB, modifiedAt: 0, firstPartBytes, kept, tags: [], expires: null };
    expect(isVerifiableInParts(metadata, etag)).toBe(expected);
  });
});

describe("faultKind", () => {
  it.each([
    ["InternalError", 503, "unavailable"],
    ["HTTP 504", 504, "unavailable"],
    ["InvalidAccessKeyId", 403, "stale_credentials"],
    ["RequestTimeout", 400, "unavailable"],
    ["InvalidObjectState", 403, "needs_restore"],
    ["EntityTooLarge", 400, "refused"],
    ["TypeError", null, "refused"],
  ])("sorts %s with status %s under %s", (code, status, kind) => {
    expect(faultKind(code, status)).toBe(kind);
  });
});

describe("needsRestore", () => {
  it.each([
    [{ StorageClass: "GLACIER" } as const, true],
    [{ StorageClass: "GLACIER", Restore: 'ongoing-request="true"' } as const, true],
    [{ StorageClass: "DEEP_ARCHIVE", Restore: 'ongoing-request="false", expiry-date="x"' } as const, false],
    [{ StorageClass: "GLACIER_IR" } as const, false],
    [{ StorageClass: "INTELLIGENT_TIERING", ArchiveStatus: "DEEP_ARCHIVE_ACCESS" } as const, true],
    [{ StorageClass: "INTELLIGENT_TIERING" } as const, false],
    [{}, false],
  ])("reads %j", (head, expected) => {
    expect(needsRestore(head)).toBe(expected);
  });
});

describe("checksumsOf", () => {
  it("tells whole-object checksums from composite ones", () => {
    expect(checksumsOf({ ChecksumCRC64NVME: "a", ChecksumType: "FULL_OBJECT" })).toEqual([
      { algorithm: "CRC64NVME", type: "FULL_OBJECT", value: "a" },
    ]);
    expect(checksumsOf({ ChecksumSHA256: "a==-3" })).toEqual([
      { algorithm: "SHA256", type: "COMPOSITE", value: "a==-3" },
    ]);
  });
});

describe("runParallel", () => {
  it("begins nothing after a failure, and waits for what is under way", async () => {
    const events: string[] = [];
    const running = runParallel([1, 2, 3, 4], 2, async (item) => {
      events.push(`begin ${item}`);
      await new Promise((resolve) => setTimeout(resolve, item === 1 ? 5 : 30));
      events.push(`end ${item}`);
      if (item === 1) throw new Error("first");
    });
    await expect(running).rejects.toThrow("first");
    expect(events).toEqual(["begin 1", "begin 2", "end 1", "end 2"]);
  });

  it("keeps the order of its items", async () => {
    const doubled = await runParallel([3, 1, 2], 3, async (item) => {
      await new Promise((resolve) => setTimeout(resolve, item));
      return item * 2;
    });
    expect(doubled).toEqual([6, 2, 4]);
  });
});

describe("endpointIdentity", () => {
  it.each([
    [{}, { region: "eu-west-1" }, true],
    [{ region: "us-east-1" }, { endpoint: "https://s3.eu-west-1.amazonaws.com" }, true],
    [{ region: "cn-north-1" }, { region: "us-east-1" }, false],
    [{ endpoint: "http://127.0.0.1:80/" }, { endpoint: "http://127.0.0.1", accessKeyId: "x" }, true],
    [{ endpoint: "http://127.0.0.1:1" }, { endpoint: "http://127.0.0.1:2" }, false],
    [{}, { endpoint: "https://amazonaws.com.example.org" }, false],
  ])("compares %j and %j", (one, other, same) => {
    expect(endpointIdentity(one) === endpointIdentity(other)).toBe(same);
  });
});
