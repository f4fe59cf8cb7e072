/**
 * A batch's objects as planned, as one blob: columns of JSON, compressed, then the ETags' raw bytes.
 *
 * | bytes    | what                                              |
 * |----------|---------------------------------------------------|
 * | 1        | version of the form, 1                            |
 * | 4        | length of the columns                             |
 * | length   | columns (see {@link Columns}), compressed         |
 * | the rest | 16 bytes for each ETag that looks like an MD5     |
 */

import type { PlannedObject } from "../../../domain/batch.ts";
import { commonPrefix } from "../../../domain/keys/key-order.ts";
import { type EtagSuffixes, etagColumn, etagsOf } from "../columns/etag-column.ts";
import { type RowColumn, rowColumn, rowsFromColumn } from "../columns/row-column.ts";
import { type TimeColumn, timeColumn, timesOf } from "../columns/time-column.ts";
import { pack, unpack } from "./packed-json.ts";

const VERSION = 1;
const HEADER_BYTES = 5;

/** One-letter names, for they are stored with every batch. */
interface Columns {
  /** What all keys begin with. */
  readonly p: string;
  /** What follows in each. */
  readonly k: readonly string[];
  /** Sizes. */
  readonly s: readonly number[];
  /** Storage classes; null when all are null. */
  readonly c: readonly (string | null)[] | null;
  readonly e: EtagSuffixes;
  readonly r: RowColumn;
  /** When each was last changed; not there in batches that older versions planned. */
  readonly m?: TimeColumn | null;
}

/** The same objects always give the same bytes. */
export function encodeObjects(objects: readonly PlannedObject[]): Buffer {
  const prefix = commonPrefix(objects.map((object) => object.key));
  const etags = etagColumn(objects.map((object) => object.etag));
  const columns: Columns = {
    p: prefix,
    k: objects.map((object) => object.key.slice(prefix.length)),
    s: objects.map((object) => object.size),
    c: objects.every((object) => object.storageClass === null)
      ? null
      : objects.map((object) => object.storageClass),
    e: etags.suffixes,
    r: rowColumn(objects),
    m: timeColumn(objects.map((object) => object.modifiedAt)),
  };
  const packed = pack(columns);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(VERSION, 0);
  header.writeUInt32BE(packed.length, 1);
  return Buffer.concat([header, packed, etags.raw]);
}

/** Undoes {@link encodeObjects}. */
export function decodeObjects(encoded: Buffer): PlannedObject[] {
  const version = encoded.readUInt8(0);
  if (version !== VERSION) throw new RangeError(`the ledger holds a batch of unknown form ${version}`);
  const end = HEADER_BYTES + encoded.readUInt32BE(1);
  const columns = unpack<Columns>(encoded.subarray(HEADER_BYTES, end));
  const count = columns.k.length;
  const etags = etagsOf(columns.e, encoded.subarray(end), count);
  const rows = rowsFromColumn(columns.r, count);
  const times = timesOf(columns.m ?? null, count);
  return columns.k.map((suffix, index) => ({
    key: columns.p + suffix,
    size: columns.s[index] ?? 0,
    etag: etags[index] ?? "",
    storageClass: columns.c?.[index] ?? null,
    modifiedAt: times[index] ?? null,
    rows: rows[index] ?? [],
  }));
}
