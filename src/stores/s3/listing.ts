/** One page of a bucket's listing, with keys decoded exactly and an implausible page refused. */

import { ListObjectsV2Command, type ListObjectsV2CommandOutput } from "@aws-sdk/client-s3";
import { compareKeys } from "../../domain/key-order.ts";
import type { ListedObject, ListPage, ListRequest } from "../../ports/object-store.ts";
import { bareEtag } from "./etag.ts";
import { badAnswer, S3Fault } from "./s3-errors.ts";
import type { S3Requests } from "./s3-requests.ts";

/** Asks for the page after `startAfter`; a position, unlike a continuation token, can be kept for days. */
export async function listPage(
  requests: S3Requests,
  request: ListRequest,
  signal: AbortSignal | undefined,
): Promise<ListPage> {
  const doing = `listing ${request.bucket}`;
  const output = await requests.send({ kind: "list", doing }, signal, (client, options) =>
    client.send(
      new ListObjectsV2Command({
        Bucket: request.bucket,
        Prefix: request.prefix,
        MaxKeys: request.limit,
        EncodingType: "url",
        ...(request.startAfter === null ? {} : { StartAfter: request.startAfter }),
      }),
      options,
    ),
  );
  return readPage(output, request, doing);
}

/** Exported for tests: a page as the port wants it, or a fault when it cannot be what was asked for. */
export function readPage(
  output: Pick<ListObjectsV2CommandOutput, "IsTruncated" | "Contents" | "EncodingType">,
  request: ListRequest,
  doing: string,
): ListPage {
  const { IsTruncated: more, Contents: contents = [] } = output;
  // An empty or foreign answer parses to nothing at all; taking that for an empty bucket could lose data.
  if (more === undefined) throw badAnswer(doing, "the answer is not a listing");
  if (more && contents.length === 0) throw badAnswer(doing, "more keys announced, none given");
  const encoded = output.EncodingType === "url";
  const objects: ListedObject[] = [];
  let last = request.startAfter;
  for (const entry of contents) {
    const key = encoded ? decodeListedKey(entry.Key ?? "", doing) : (entry.Key ?? "");
    if (entry.Size === undefined || !key.startsWith(request.prefix)) {
      throw badAnswer(doing, "an entry is not what was asked for");
    }
    if (last !== null && compareKeys(key, last) <= 0) throw outOfOrder(doing);
    last = key;
    objects.push({
      key,
      size: entry.Size,
      etag: bareEtag(entry.ETag),
      storageClass: storageClassOf(entry.StorageClass),
      modifiedAt: entry.LastModified?.getTime() ?? 0,
    });
  }
  return { objects, more };
}

/** A storage class as the port wants it: null for STANDARD, which stores name or leave out as they like. */
export function storageClassOf(name: string | undefined): string | null {
  return name === undefined || name === "" || name === "STANDARD" ? null : name;
}

/**
 * Decodes a key from an `encoding-type=url` listing. AWS sends `+` for a space and `%2B` for a plus; Ceph and others
 * send `%20` and `%2B`: no store sends a bare `+` for a plus, so one rule fits all.
 */
export function decodeListedKey(encoded: string, doing = "reading a listing"): string {
  try {
    return decodeURIComponent(encoded.replaceAll("+", " "));
  } catch (cause) {
    const message = `the key ${encoded} is not UTF-8`;
    throw new S3Fault({ code: "KeyNotUtf8", status: null, message, cause }, doing);
  }
}

/** Paging by position would skip or repeat keys without end. */
function outOfOrder(doing: string): S3Fault {
  const message = "the store does not list keys in byte order";
  return new S3Fault({ code: "ListingOutOfOrder", status: null, message }, doing);
}
