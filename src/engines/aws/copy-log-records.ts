/**
 * The items of the table Copy_Logs.
 *
 * | attribute | type | meaning                                                                                        |
 * |-----------|------|------------------------------------------------------------------------------------------------|
 * | Key       | S    | partition key: `<target bucket>/<target key>`                                                  |
 * | Flag      | BOOL | whether an event has told of the object at the new key                                         |
 * | Source    | S    | `<source bucket>/<source key>`                                                                 |
 * | Pinned    | S    | ETag of the version that is copied                                                             |
 * | Size      | N    | its bytes                                                                                      |
 * | Batch     | N    | seq of its batch                                                                               |
 * | Job       | S    | token of its consignment                                                                       |
 * | ETag      | S    | ETag of the new object; absent before the event                                                |
 *
 * And where function 2 updates rows, one for each consignment under way, which the engine writes and removes:
 *
 * | attribute | type | meaning                                                                                        |
 * |-----------|------|------------------------------------------------------------------------------------------------|
 * | Key       | S    | `terms:<token>`                                                                                |
 * | Job       | S    | the token, as in the records of its objects                                                    |
 * | Terms     | S    | the terms as UserArguments have them, in JSON                                                  |
 */

import type { AttributeValue } from "@aws-sdk/client-dynamodb";

/** A place of an object. */
export interface Place {
  readonly bucket: string;
  readonly key: string;
}

/** What is recorded of an object before it is copied. */
export interface CopyRecord {
  /** The consignment's token. */
  readonly job: string;
  /** The batch's seq. */
  readonly batch: number;
  /** `etag` without quotes; `size` in bytes. */
  readonly source: Place & { readonly etag: string; readonly size: number };
  readonly target: Place;
}

/** An object of which an event tells. */
export interface LandedObject extends Place {
  /** Without quotes. */
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  /** Whether the event names the copying function's role: its copies may have another ETag than their source. */
  readonly isByCopier: boolean;
}

export type Begun =
  /** Recorded; the object is to be copied. */
  | { readonly kind: "recorded" }
  /** It is at the new key already, with this ETag: nothing is to be copied. */
  | { readonly kind: "flagged"; readonly etag: string }
  /** Another consignment's or version's record is there, or the key is too long: it is to be copied without a record. */
  | { readonly kind: "unrecorded" };

/** A flagged item as read. */
export interface FlaggedRecord {
  readonly job: string;
  /** `<bucket>/<key>`. */
  readonly source: string;
  /** ETag of the version that was copied. */
  readonly pinned: string;
  readonly size: number;
  /** ETag of the new object. */
  readonly etag: string;
}

/** The name of an object in the table: no bucket's name holds a slash. */
export function placeName({ bucket, key }: Place): string {
  return `${bucket}/${key}`;
}

/** The name of a consignment's terms in the table: no bucket's name holds a colon. */
export function termsName(token: string): string {
  return `terms:${token}`;
}

/** Null where the item is not flagged, or is not of this program. */
export function flaggedRecord(item: Record<string, AttributeValue>): FlaggedRecord | null {
  const [job, source, pinned, etag] = [item.Job?.S, item.Source?.S, item.Pinned?.S, item.ETag?.S];
  if (item.Flag?.BOOL !== true || item.Size?.N === undefined) return null;
  if (!job || !source || !pinned || !etag) return null;
  return { job, source, pinned, etag, size: Number(item.Size.N) };
}
