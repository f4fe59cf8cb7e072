/** Reads listings that are plainly well-formed at a fraction of what the SDK's parser costs; all others are the SDK's. */

import type { _Object, ListObjectsV2CommandOutput } from "@aws-sdk/client-s3";

/** What a listing says, as the SDK would give it. */
export type ListingOutput = Pick<ListObjectsV2CommandOutput, "IsTruncated" | "Contents" | "EncodingType">;

// Between elements nothing or a new line: blanks alone make the SDK take an element for text.
const HEAD = /^\s*(?:<\?xml[^<>?]*\?>)?\s*<ListBucketResult(?:\s+xmlns="[^"<>&]*")?>/;
const TAIL = /(?:\n\s*)?<\/ListBucketResult>\s*$/y;
const ENTRY = /(?:\n\s*)?<Contents>/y;
const ENTRY_END = /(?:\n\s*)?<\/Contents>/y;
/** An element with nothing but text; comments, attributes, CDATA and depth are none of these. */
const FIELD = /(?:\n\s*)?<(\w+)(?:\/>|>([^<>]*)<\/\1>)/y;
/** What some stores tell unasked. */
const IGNORED = /(?:\n\s*)?<(Owner|RestoreStatus)>(?:\s*<(\w+)>[^<>]*<\/\2>)*\s*<\/\1>/y;
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/;
/** An ETag with its quotes, however these are written, or none on either side. */
const QUOTED = /^(?:&quot;|&#34;|")?([^&"]*)(?:&quot;|&#34;|")?$/;
const SIZE = /^\d{1,15}$/;

/**
 * The listing in `body`; null when that is not plainly one whole `ListBucketResult` with keys in `url` encoding. The
 * SDK must then say what it is: an error, a proxy's page, half an answer, or a listing written in another way.
 */
export function plainListing(body: string): ListingOutput | null {
  const start = HEAD.exec(body)?.[0].length;
  // To XML a carriage return is a line feed.
  if (start === undefined || body.includes("\r")) return null;
  const scan = new Scan(body, start);
  const fields = new Map<string, string>();
  const entryFields = new Map<string, string>();
  const contents: _Object[] = [];
  while (!scan.passes(TAIL)) {
    if (scan.passes(ENTRY)) {
      const entry = readEntry(scan, entryFields);
      if (entry === null) return null;
      contents.push(entry);
    } else if (!scan.field(fields)) return null;
  }
  const truncated = fields.get("IsTruncated");
  if (fields.get("EncodingType") !== "url" || (truncated !== "true" && truncated !== "false")) return null;
  return { IsTruncated: truncated === "true", Contents: contents, EncodingType: "url" };
}

/** An entry of which the beginning was passed; null when it is not plain. `fields` is used again for each. */
function readEntry(scan: Scan, fields: Map<string, string>): _Object | null {
  fields.clear();
  while (!scan.passes(ENTRY_END)) {
    if (!scan.field(fields) && !scan.passes(IGNORED)) return null;
  }
  const key = fields.get("Key");
  const etag = QUOTED.exec(fields.get("ETag") ?? "&")?.[1];
  const size = fields.get("Size") ?? "";
  const modified = fields.get("LastModified") ?? "";
  const storageClass = fields.get("StorageClass") ?? "";
  // Entities of other kinds are rare enough.
  if (key === undefined || etag === undefined || key.includes("&") || storageClass.includes("&")) return null;
  if (!SIZE.test(size) || !ISO_TIME.test(modified)) return null;
  const LastModified = new Date(modified);
  if (Number.isNaN(LastModified.getTime())) return null;
  const StorageClass = copyOf(storageClass) as NonNullable<_Object["StorageClass"]>;
  return { Key: key, LastModified, ETag: `"${etag}"`, Size: Number(size), StorageClass };
}

/** Kept longer than the answer, of which a part would keep the whole in memory. */
function copyOf(text: string): string {
  return Buffer.from(text).toString();
}

/** Repeated with one meaning: a list. */
const LISTS: ReadonlySet<string> = new Set(["ChecksumAlgorithm"]);

/** Goes through a document from its start to its end. */
class Scan {
  readonly #body: string;
  #at: number;

  constructor(body: string, at: number) {
    this.#body = body;
    this.#at = at;
  }

  /** Whether what comes next is `token`; if so it is passed. */
  passes(token: RegExp): boolean {
    token.lastIndex = this.#at;
    if (!token.test(this.#body)) return false;
    this.#at = token.lastIndex;
    return true;
  }

  /** Passes an element with nothing but text and notes it; false when none comes next, or one that was there before. */
  field(fields: Map<string, string>): boolean {
    FIELD.lastIndex = this.#at;
    const [whole, name = "", text = ""] = FIELD.exec(this.#body) ?? [];
    if (whole === undefined || (fields.has(name) && !LISTS.has(name))) return false;
    this.#at = FIELD.lastIndex;
    fields.set(name, text);
    return true;
  }
}
