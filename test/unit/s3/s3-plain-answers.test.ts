/** Answers read without the SDK: whatever they give is what the SDK would have given; whatever is odd is left to it. */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  DeleteObjectsCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  S3Client,
} from "@aws-sdk/client-s3";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readDeletedKeys } from "../../../src/stores/s3/delete/delete-objects.ts";
import {
  checkedPage,
  decodeListedKey,
  type RawPage,
  rawPageOf,
  readPlainPage,
} from "../../../src/stores/s3/read/listing.ts";

const HEAD =
  '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix/>';
const TAIL = "<EncodingType>url</EncodingType><IsTruncated>false</IsTruncated></ListBucketResult>";
const DATE = "2026-11-25T12:00:00.000Z";

interface Entry {
  readonly key: string;
  readonly etag: string;
  readonly size: number;
  readonly storageClass: string | null;
  readonly modified?: string;
}

function entryXml({ key, etag, size, storageClass, modified = DATE }: Entry): string {
  const shown = storageClass === null ? "" : `<StorageClass>${storageClass}</StorageClass>`;
  return `<Contents><Key>${encodeURIComponent(key)}</Key><LastModified>${modified}</LastModified><ETag>&quot;${etag}&quot;</ETag><Size>${size}</Size>${shown}</Contents>`;
}

/** What the SDK makes of `body` in the store's place. */
async function asSdk<Output>(
  command: ListObjectsV2Command | DeleteObjectsCommand,
  body: string,
): Promise<Output> {
  const client = new S3Client({
    region: "us-east-1",
    credentials: { accessKeyId: "k", secretAccessKey: "s" },
  });
  const { middlewareStack } = command as ListObjectsV2Command;
  middlewareStack.add(
    () => async () => ({ response: { statusCode: 200, headers: {}, body: Buffer.from(body) } }),
    { step: "deserialize", priority: "low", name: "answer" },
  );
  return (await client.send(command as ListObjectsV2Command)) as Output;
}

const entries = fc.array(
  fc.record({
    key: fc.string({ unit: "binary", minLength: 1, maxLength: 30 }),
    etag: fc.stringMatching(/^[0-9a-f]{32}(-[1-9]\d{0,3})?$/),
    size: fc.nat(),
    storageClass: fc.constantFrom(null, "STANDARD", "GLACIER"),
    modified: fc.constantFrom(DATE, "2026-11-25T12:00:00.001Z", "2001-02-03T04:05:06.000Z"),
  }),
  { maxLength: 20 },
);

describe("readPlainPage", () => {
  it("gives what the SDK gives, for any keys", async () => {
    await fc.assert(
      fc.asyncProperty(entries, async (list) => {
        const body = HEAD + list.map(entryXml).join("") + TAIL;
        const output = await asSdk<{
          Contents?: { Key: string; ETag: string; Size: number; LastModified: Date }[];
        }>(new ListObjectsV2Command({ Bucket: "b" }), body);
        const page = readPlainPage(body);
        expect(page?.more).toBe(false);
        expect(
          page?.entries.map((entry) => [entry.key, entry.size, `"${entry.etag}"`, entry.modifiedAt]),
        ).toEqual(
          (output.Contents ?? []).map((entry) => [
            entry.Key,
            entry.Size,
            entry.ETag,
            entry.LastModified.getTime(),
          ]),
        );
        expect(page?.entries.map((entry) => decodeListedKey(entry.key))).toEqual(list.map(({ key }) => key));
        expect(page?.entries.map((entry) => entry.storageClass ?? null)).toEqual(
          list.map(({ storageClass }) => storageClass),
        );
      }),
      { numRuns: 40 },
    );
  });

  const entry = entryXml({ key: "k", etag: "0".repeat(32), size: 1, storageClass: null });
  it.each([
    [
      "with checksums, as AWS shows them",
      entry.replace(
        "<Size>",
        "<ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType><Size>",
      ),
    ],
    [
      "with an owner, as Ceph shows it",
      entry.replace(
        "</Contents>",
        "<Owner><ID>t</ID><DisplayName>T</DisplayName></Owner><Type>Normal</Type></Contents>",
      ),
    ],
  ])("reads an entry %s", (_, xml) => {
    expect(readPlainPage(HEAD + xml + TAIL)?.entries).toHaveLength(1);
  });

  it.each([
    ["nothing", ""],
    ["an error", "<Error><Code>InternalError</Code></Error>"],
    ["a listing cut short", HEAD + entry],
    ["a listing cut short within an entry", HEAD + entry.slice(0, -20)],
    ["something after the end", `${HEAD}${TAIL}<x/>`],
    ["an entry without a size", HEAD + entry.replace("<Size>1</Size>", "") + TAIL],
    ["an entry with a size that is no number", HEAD + entry.replace("<Size>1<", "<Size>one<") + TAIL],
    ["an entry with two keys", HEAD + entry.replace("<LastModified>", "<Key>j</Key><LastModified>") + TAIL],
    ["an impossible date", HEAD + entry.replace(DATE, "yesterday") + TAIL],
    ["an entity in a key", HEAD + entry.replace("<Key>k<", "<Key>&#107;<") + TAIL],
    ["a comment", `${HEAD}<!-- <Contents/> -->${TAIL}`],
    ["no word on whether more follow", HEAD + TAIL.replace("<IsTruncated>false</IsTruncated>", "")],
    [
      "two words on whether more follow",
      HEAD + TAIL.replace("</ListB", "<IsTruncated>true</IsTruncated></ListB"),
    ],
    ["keys that are not URL-encoded", HEAD + entry + TAIL.replace("<EncodingType>url</EncodingType>", "")],
    ["another document", `${HEAD}${TAIL}`.replaceAll("ListBucketResult", "ListVersionsResult")],
  ])("leaves %s to the SDK", (_, body) => {
    expect(readPlainPage(body)).toBeNull();
  });
});

describe("a damaged listing", () => {
  /** What of a page Tranship uses, as the SDK reads it; null when it throws. */
  const readBySdk = async (body: string) => {
    try {
      return rawPageOf(
        await asSdk<ListObjectsV2CommandOutput>(new ListObjectsV2Command({ Bucket: "b" }), body),
      );
    } catch {
      return null;
    }
  };

  it("is what the SDK reads, or left to the SDK", async () => {
    const key = fc.string({ unit: "grapheme", minLength: 1, maxLength: 4 });
    const keys = fc.array(key, { minLength: 1, maxLength: 4 });
    const pieces = ["", "<", ">", "&", "x", " ", "\n", "<Key>a</Key>", "</Contents>", "<Contents>", "<a/>"];
    const cut = fc.integer({ min: 0, max: 12 });
    await fc.assert(
      fc.asyncProperty(keys, fc.nat(), cut, fc.constantFrom(...pieces), async (some, at, length, piece) => {
        const entry = { etag: "d41d8cd9-2", size: 3, storageClass: "STANDARD" };
        const whole = HEAD + some.map((one) => entryXml({ key: one, ...entry })).join("") + TAIL;
        const from = at % whole.length;
        const body = whole.slice(0, from) + piece + whole.slice(from + length);
        const read = readPlainPage(body);
        if (read !== null) expect(read).toEqual(await readBySdk(body));
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
      const etag = "0123456789abcdef".repeat(2);
      const entries = keys.map((key) =>
        entryXml({ key, etag, size: 1, storageClass: "INTELLIGENT_TIERING" }),
      );
      // As it arrives: one piece of text.
      const page = readPlainPage(Buffer.from(HEAD + entries.join("") + TAIL).toString());
      return checkedPage(page ?? NO_PAGE, request, "listing b").objects.slice(-1);
    };
    pageOf(0);
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    const kept = Array.from({ length: 300 }, (_, i) => pageOf(i + 10_000));
    // 300 texts of 250 kB would be 75 MB.
    collectGarbage();
    expect(kept.flat().map(({ storageClass }) => storageClass)).toContain("INTELLIGENT_TIERING");
    expect((process.memoryUsage().heapUsed - before) / 1e6).toBeLessThan(3);
  });
});

/** At once and all of it. */
const collectGarbage = (() => {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
})();

const NO_PAGE: RawPage = { more: undefined, isUrlEncoded: true, entries: [] };

describe("readDeletedKeys", () => {
  const escaped = (key: string) =>
    key
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;")
      .replaceAll("'", "&#39;");
  const printable = fc.stringMatching(/^[!-~é中😀]([ -~é中😀]*[!-~é中😀])?$/u);

  it("gives the keys that the SDK gives", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(printable, { minLength: 1, maxLength: 20 }), async (keys) => {
        const body = `<DeleteResult>${keys.map((key) => `<Deleted><Key>${escaped(key)}</Key></Deleted>`).join("")}</DeleteResult>`;
        const command = new DeleteObjectsCommand({ Bucket: "b", Delete: { Objects: [] } });
        const output = await asSdk<{ Deleted: { Key: string }[] }>(command, body);
        expect(readDeletedKeys(body)).toEqual(output.Deleted.map(({ Key }) => Key));
        expect(readDeletedKeys(body)).toEqual(keys);
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    [
      "an error among them",
      "<DeleteResult><Deleted><Key>a</Key></Deleted><Error><Key>b</Key><Code>AccessDenied</Code></Error></DeleteResult>",
    ],
    ["a key without a name", "<DeleteResult><Deleted></Deleted></DeleteResult>"],
    [
      "an entity that XML does not define",
      "<DeleteResult><Deleted><Key>&nbsp;</Key></Deleted></DeleteResult>",
    ],
    ["an answer cut short", "<DeleteResult><Deleted><Key>a</Key></Deleted>"],
    ["an empty element", "<DeleteResult/>"],
    ["nothing", ""],
  ])("leaves %s to the SDK", (_, body) => {
    expect(readDeletedKeys(body)).toBeNull();
  });
});

it("leaves the keys of a page that the SDK read as they are, one that is no text too", () => {
  const output = { $metadata: {}, IsTruncated: false, Contents: [{ Key: "image/\ud800", Size: 1 }] };
  expect(rawPageOf(output).entries[0]?.key).toBe("image/\ud800");
});
