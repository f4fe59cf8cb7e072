/** The quick reader of listings: it says what the SDK says, or nothing. */

import { ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bareEtag } from "../../src/stores/s3/etag.ts";
import { readPage } from "../../src/stores/s3/listing.ts";
import { plainListing } from "../../src/stores/s3/plain-listing.ts";
import { hostileKeys } from "../support/hostile-keys.ts";

const client = new S3Client({
  region: "us-east-1",
  endpoint: "http://127.0.0.1:1",
  credentials: { accessKeyId: "k", secretAccessKey: "s" },
});

/** What the SDK reads in `body`: what of it Tranship uses, or null when it throws. */
async function readBySdk(body: string) {
  const command = new ListObjectsV2Command({ Bucket: "b" });
  const response = { statusCode: 200, headers: {}, body: Buffer.from(body) };
  command.middlewareStack.add(() => async () => ({ response }), { step: "deserialize", priority: "low" });
  try {
    return used(await client.send(command));
  } catch {
    return null;
  }
}

type Output = NonNullable<ReturnType<typeof plainListing>>;

function used({ IsTruncated, EncodingType, Contents = [] }: Output) {
  const entries = Contents.map(({ Key, Size, ETag, LastModified, StorageClass }) => ({
    ...{
      Key,
      Size,
      ETag: bareEtag(ETag),
      StorageClass: StorageClass === undefined ? "" : String(StorageClass),
    },
    modified: LastModified?.getTime(),
  }));
  return { IsTruncated, EncodingType, entries };
}

interface Entry {
  readonly key: string;
  readonly size?: number;
  readonly etag?: string;
}

const entryOf = ({ key, size = 3, etag = "&quot;d41d8cd9-2&quot;" }: Entry, more = "") =>
  `<Contents><Key>${encodeURIComponent(key)}</Key><LastModified>2026-11-25T12:00:00.123Z</LastModified><ETag>${etag}</ETag><Size>${size}</Size><StorageClass>STANDARD</StorageClass>${more}</Contents>`;
const listing = (entries: string, { truncated = "false", encoding = "url" } = {}) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix>image%2F</Prefix><KeyCount>1</KeyCount><MaxKeys>1000</MaxKeys><EncodingType>${encoding}</EncodingType><IsTruncated>${truncated}</IsTruncated>${entries}</ListBucketResult>`;

describe("a plain listing", () => {
  it.each([
    ["of nothing", listing("")],
    ["with more to come", listing(entryOf({ key: "a" }), { truncated: "true" })],
    ["of hostile keys", listing(hostileKeys.map((key) => entryOf({ key })).join(""))],
    [
      "with owners",
      listing(entryOf({ key: "a" }, "<Owner><ID>1</ID><DisplayName>me &amp; you</DisplayName></Owner>")),
    ],
    [
      "with checksums",
      listing(
        entryOf(
          { key: "a" },
          "<ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType>",
        ),
      ),
    ],
    ["with quotes as numbers", listing(entryOf({ key: "a", etag: "&#34;e&#34;" }))],
    ["with an ETag without quotes", listing(entryOf({ key: "a", etag: "e" }))],
    ["with bare quotes", listing(entryOf({ key: "a", etag: '"e"' }))],
    ["indented", listing(`\n  ${entryOf({ key: "a" }).replaceAll("><", ">\n    <")}\n`)],
    ["of a large object", listing(entryOf({ key: "a", size: 5 * 1024 ** 4 }))],
    ["with empty elements", listing(`<Delimiter/>${entryOf({ key: "a" }).replace("STANDARD", "")}`)],
  ])("%s is read here as the SDK reads it", async (_, body) => {
    const read = plainListing(body);
    expect(read).not.toBeNull();
    expect(read === null ? null : used(read)).toEqual(await readBySdk(body));
  });

  it.each([
    ["nothing", ""],
    ["a page of a proxy", "<html><body>Please log in</body></html>"],
    ["an error", "<Error><Code>SlowDown</Code></Error>"],
    ["half a listing", listing(entryOf({ key: "a" })).slice(0, -30)],
    ["a listing and more", `${listing("")}<more/>`],
    ["two listings", listing("") + listing("")],
    ["keys that are not encoded", listing(entryOf({ key: "a" }), { encoding: "" })],
    ["no word on whether there is more", listing("").replace(/<IsTruncated>.*<\/IsTruncated>/, "")],
    ["another word on whether there is more", listing("", { truncated: "perhaps" })],
    ["two words on whether there is more", listing("<IsTruncated>true</IsTruncated>")],
    ["an entry with two keys", listing(entryOf({ key: "a" }, "<Key>b</Key>"))],
    ["an entry without a size", listing(entryOf({ key: "a" }).replace(/<Size>.*<\/Size>/, ""))],
    ["a size that is none", listing(entryOf({ key: "a" }).replace("<Size>3", "<Size>3e9"))],
    ["a time that is none", listing(entryOf({ key: "a" }).replace("2026-11-25T", "yesterday"))],
    ["a time that never was", listing(entryOf({ key: "a" }).replace("2026-11-25T", "2026-13-25T"))],
    ["an entry inside an entry", listing(entryOf({ key: "a" }, entryOf({ key: "b" })))],
    ["a comment", listing(`<!-- ${entryOf({ key: "a" })} -->`)],
    ["a CDATA section", listing(entryOf({ key: "a" }).replace("<Key>a", "<Key><![CDATA[a]]>"))],
    ["attributes", listing(entryOf({ key: "a" }).replace("<Key>", '<Key type="x">'))],
    ["entities of another kind", listing(entryOf({ key: "a", etag: "&lt;e&gt;" }))],
    ["a doctype", `<!DOCTYPE x [<!ENTITY e "f">]>${listing("")}`],
    ["carriage returns", listing(entryOf({ key: "a" })).replaceAll("><", ">\r\n<")],
    ["blanks between elements", listing(entryOf({ key: "a" }).replaceAll("><", "> <"))],
    ["common prefixes", listing("<CommonPrefixes><Prefix>a</Prefix></CommonPrefixes>")],
  ])("%s is not, and left to the SDK", (_, body) => {
    expect(plainListing(body)).toBeNull();
  });

  it("with any damage is what the SDK reads, or left to the SDK", async () => {
    const key = fc.string({ unit: "grapheme", minLength: 1, maxLength: 4 });
    const keys = fc.array(key, { minLength: 1, maxLength: 4 });
    const piece = fc.constantFrom(
      "",
      "<",
      ">",
      "&",
      "x",
      " ",
      "\n",
      "<Key>a</Key>",
      "</Contents>",
      "<Contents>",
      "<a/>",
    );
    const part = fc.nat();
    await fc.assert(
      fc.asyncProperty(keys, part, fc.integer({ min: 0, max: 12 }), piece, async (some, at, cut, put) => {
        const whole = listing(some.map((one) => entryOf({ key: one })).join(""));
        const from = at % whole.length;
        const body = whole.slice(0, from) + put + whole.slice(from + cut);
        const read = plainListing(body);
        if (read !== null) expect(used(read)).toEqual(await readBySdk(body));
      }),
      { numRuns: 2000 },
    );
  });

  it("is not kept in memory by the few of its objects that are", () => {
    const request = { bucket: "b", prefix: "", startAfter: null, limit: 1000 };
    const pageOf = (from: number) => {
      const keys = Array.from(
        { length: 1000 },
        (_, i) => `a-key-of-some-length-${String(from + i).padStart(9, "0")}`,
      );
      const entries = keys.map((key) => entryOf({ key }).replace("STANDARD", "INTELLIGENT_TIERING")).join("");
      // As it arrives: one piece of text.
      const body = plainListing(Buffer.from(listing(entries)).toString());
      return readPage(body ?? {}, request, "listing b").objects.slice(-1);
    };
    pageOf(0);
    const before = process.memoryUsage().heapUsed;
    const kept = Array.from({ length: 300 }, (_, i) => pageOf(i + 10_000));
    // Room for garbage that was not collected yet; 300 texts of 250 kB would be 75 MB.
    global.gc?.();
    expect(kept.flat().map(({ storageClass }) => storageClass)).toContain("INTELLIGENT_TIERING");
    expect((process.memoryUsage().heapUsed - before) / 1e6).toBeLessThan(50);
  });
});
