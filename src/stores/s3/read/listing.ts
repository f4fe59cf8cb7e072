/** ListObjectsV2: one page of a bucket, its keys decoded exactly, an implausible page refused. */

import { ListObjectsV2Command, type ListObjectsV2CommandOutput } from "@aws-sdk/client-s3";
import { compareKeys } from "../../../domain/keys/key-order.ts";
import type { ListedObject, ListPage, ListRequest } from "../../../ports/object-store.ts";
import { interceptResponse } from "../client/response-interceptor.ts";
import type { S3Requests } from "../client/s3-requests.ts";
import { badAnswer, S3Fault } from "../s3-errors.ts";
import { bareEtag } from "./etag.ts";
import { readPlainXml } from "./plain-xml.ts";

/** A page as the store gave it, keys not decoded yet. */
export interface RawPage {
  /** Whether more keys follow; undefined: the answer does not say, so it is no listing. */
  readonly more: boolean | undefined;
  readonly isUrlEncoded: boolean;
  readonly entries: readonly RawEntry[];
}

export interface RawEntry {
  readonly key: string;
  /** Bytes. */
  readonly size: number | undefined;
  readonly etag: string;
  readonly storageClass: string | undefined;
  /** Epoch milliseconds. */
  readonly modifiedAt: number;
}

/** Lists the page after `startAfter`: a position, unlike a continuation token, can be kept for days. */
export async function listPage(
  requests: S3Requests,
  request: ListRequest,
  signal: AbortSignal | undefined,
): Promise<ListPage> {
  const doing = `listing ${request.bucket}`;
  const command = new ListObjectsV2Command({
    Bucket: request.bucket,
    Prefix: request.prefix,
    MaxKeys: request.limit,
    EncodingType: "url",
    ...(request.startAfter === null ? {} : { StartAfter: request.startAfter }),
  });
  const parsed = interceptResponse(command, readPlainPage, EMPTY_PAGE);
  const output = await requests.send({ kind: "list", doing }, signal, (client, options) =>
    client.send(command, options),
  );
  return checkedPage(parsed() ?? rawPageOf(output), request, doing);
}

/** What the SDK is given to parse where the page has been parsed already. */
const EMPTY_PAGE = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";

/** An entry as AWS, Ceph and the sandbox store write it; any other form leaves the page to the SDK. */
const ENTRY =
  /<Contents><Key>([^<&\s]+)<\/Key><LastModified>(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z)<\/LastModified><ETag>(?:&quot;|&#34;|")?([^<>&"\s]*)(?:&quot;|&#34;|")?<\/ETag>(?:<ChecksumAlgorithm>\w*<\/ChecksumAlgorithm>)*(?:<ChecksumType>\w*<\/ChecksumType>)?<Size>(\d{1,15})<\/Size>(?:<StorageClass>(\w*)<\/StorageClass>)?(?:<Owner>(?:<(ID|DisplayName)>[^<]*<\/\6>)*<\/Owner>)?(?:<Type>\w*<\/Type>)?<\/Contents>/y;

/** The page in an answer that is a plain listing in URL encoding; null leaves it to the SDK's parser. */
export function readPlainPage(body: string): RawPage | null {
  const page = readPlainXml(body, "ListBucketResult", ENTRY);
  const more = page?.scalars.get("IsTruncated");
  if (page?.scalars.get("EncodingType") !== "url" || (more !== "true" && more !== "false")) return null;
  const entries = page.entries.map(([, key = "", modified = "", etag = "", size, storageClass]) => ({
    key: detached(key),
    size: Number(size),
    etag: detached(etag),
    storageClass: storageClass === STANDARD ? STANDARD : storageClass && detached(storageClass),
    modifiedAt: Date.parse(modified),
  }));
  if (entries.some(({ modifiedAt }) => Number.isNaN(modifiedAt))) return null;
  return { more: more === "true", isUrlEncoded: true, entries };
}

/** A copy of `text`: a substring keeps the whole answer in memory for as long as its object is being moved. */
function detached(text: string): string {
  return Buffer.from(text).toString();
}

/** A page as the SDK read it; its parser makes strings of their own. */
export function rawPageOf(output: ListObjectsV2CommandOutput): RawPage {
  const entries = (output.Contents ?? []).map((entry) => ({
    key: entry.Key ?? "",
    size: entry.Size,
    etag: bareEtag(entry.ETag),
    storageClass: entry.StorageClass,
    modifiedAt: entry.LastModified?.getTime() ?? 0,
  }));
  return { more: output.IsTruncated, isUrlEncoded: output.EncodingType === "url", entries };
}

/** A page as the port has it. Throws a fault when it cannot be the answer to `request`. */
export function checkedPage(
  { more, isUrlEncoded, entries }: RawPage,
  request: ListRequest,
  doing: string,
): ListPage {
  // An empty or foreign answer parses to nothing; taking it for an empty bucket could lose data.
  if (more === undefined) throw badAnswer(doing, "the answer is not a listing");
  if (more && entries.length === 0) throw badAnswer(doing, "more keys announced, none given");
  const objects: ListedObject[] = [];
  let last = request.startAfter;
  for (const { key: listed, size, etag, storageClass, modifiedAt } of entries) {
    const key = isUrlEncoded ? decodeListedKey(listed, doing) : listed;
    if (size === undefined || !key.startsWith(request.prefix)) {
      throw badAnswer(doing, "an entry is not what was asked for");
    }
    if (last !== null && compareKeys(key, last) <= 0) throw outOfOrder(doing);
    last = key;
    objects.push({ key, size, etag, storageClass: storageClassOf(storageClass), modifiedAt });
  }
  return { objects, more };
}

/** The class that has no name in the port. */
const STANDARD = "STANDARD";

/** A storage class as the port has it: null for STANDARD, which some stores name and others leave out. */
export function storageClassOf(name: string | undefined): string | null {
  return name === undefined || name === "" || name === STANDARD ? null : name;
}

const ENCODED = /[%+]/;

/**
 * Decodes a key from an `encoding-type=url` listing. AWS sends `+` for a space and `%2B` for a plus; Ceph and others
 * send `%20` and `%2B`. No store sends a bare `+` for a plus. Throws where the bytes are not UTF-8.
 */
export function decodeListedKey(encoded: string, doing = "reading a listing"): string {
  if (!ENCODED.test(encoded)) return encoded;
  try {
    return decodeURIComponent(encoded.replaceAll("+", " "));
  } catch (cause) {
    const message = `the key ${encoded} is not UTF-8`;
    throw new S3Fault({ code: "KeyNotUtf8", status: null, message, cause }, doing);
  }
}

/** Paging by position would skip keys or repeat them without end. */
function outOfOrder(doing: string): S3Fault {
  const message = "the store does not list keys in byte order";
  return new S3Fault({ code: "ListingOutOfOrder", status: null, message }, doing);
}
