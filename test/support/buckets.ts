/** Fills, lists, reads and empties buckets for tests, with the SDK alone and none of the service's own code. */

import { randomBytes } from "node:crypto";
import { type HeadObjectCommandOutput, S3, type S3ClientConfig } from "@aws-sdk/client-s3";
import pLimit from "p-limit";
import type { S3Facts } from "./servers/ceph.ts";

/** An object to put; the body is empty unless given. */
export interface BucketEntry {
  key: string;
  body?: string | Uint8Array;
  contentType?: string;
  metadata?: Record<string, string>;
  tags?: Record<string, string>;
}

/** What a listing says of an object. The ETag keeps its double quotes, as S3 writes it. */
export interface ListedObject {
  size: number;
  etag: string;
}

/** A client for the server. Bucket names go in the path, since 127.0.0.1 has no subdomains. */
export function s3ClientFor(facts: S3Facts, more: S3ClientConfig = {}): S3 {
  const { endpoint, region, accessKeyId, secretAccessKey } = facts;
  return new S3({
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
    ...more,
  });
}

/** Makes an empty bucket per name, `name` plus a random ending, so that no two tests share one. */
export async function createBuckets<Name extends string>(
  client: S3,
  ...names: readonly Name[]
): Promise<Record<Name, string>> {
  const ending = randomBytes(4).toString("hex");
  const made = await Promise.all(
    names.map(async (name) => {
      const bucket = `${name}-${ending}`;
      await client.createBucket({ Bucket: bucket });
      return [name, bucket] as const;
    }),
  );
  return Object.fromEntries(made) as Record<Name, string>;
}

/** Puts all entries, and returns what a listing of an otherwise empty bucket must then say. */
export async function fillBucket(
  client: S3,
  bucket: string,
  entries: Iterable<BucketEntry>,
  concurrency = 32,
): Promise<Map<string, ListedObject>> {
  const limit = pLimit(concurrency);
  const put = async ({ key, body = "", contentType, metadata, tags }: BucketEntry) => {
    const bytes = Buffer.from(body);
    const { ETag = "" } = await client.putObject({
      Bucket: bucket,
      Key: key,
      Body: bytes,
      ContentType: contentType,
      Metadata: metadata,
      Tagging: tags && new URLSearchParams(tags).toString(),
    });
    return [key, { size: bytes.length, etag: ETag }] as const;
  };
  return new Map(await limit.map(entries, put));
}

/**
 * Every object of the bucket, under its exact key, in the server's order.
 *
 * Keys are asked for URL-encoded, since XML 1.0 cannot carry most control characters; the SDK leaves them
 * encoded. Pages go by StartAfter, so that no server's notion of a continuation token is relied on.
 */
export async function listEverything(
  client: S3,
  bucket: string,
  prefix?: string,
): Promise<Map<string, ListedObject>> {
  const listed = new Map<string, ListedObject>();
  let startAfter: string | undefined;
  for (;;) {
    const page = await client.listObjectsV2({
      Bucket: bucket,
      Prefix: prefix,
      StartAfter: startAfter,
      EncodingType: "url",
    });
    for (const { Key = "", Size = -1, ETag = "" } of page.Contents ?? []) {
      startAfter = decodeListedKey(Key);
      listed.set(startAfter, { size: Size, etag: ETag });
    }
    if (!page.IsTruncated) return listed;
  }
}

/**
 * The key that a listing with `encoding-type=url` wrote. AWS writes a space as `+`, Ceph as `%20`, and both write
 * a plus sign as `%2B`: one decoding serves both.
 */
export function decodeListedKey(encoded: string): string {
  return decodeURIComponent(encoded.replaceAll("+", " "));
}

/** The CopySource of an object: percent-encoded, except for the slashes. */
export function copySource(bucket: string, key: string): string {
  return `${bucket}/${key.split("/").map(encodeURIComponent).join("/")}`;
}

/** Everything about one object but its bytes. */
export interface ObjectFacts {
  head: Omit<HeadObjectCommandOutput, "$metadata">;
  tags: Record<string, string>;
}

/** Reads an object's headers and tags; undefined when there is no such object. */
export async function readObject(client: S3, bucket: string, key: string): Promise<ObjectFacts | undefined> {
  try {
    const [{ $metadata: _, ...head }, { TagSet = [] }] = await Promise.all([
      client.headObject({ Bucket: bucket, Key: key }),
      client.getObjectTagging({ Bucket: bucket, Key: key }),
    ]);
    return { head, tags: Object.fromEntries(TagSet.map(({ Key, Value }) => [Key, Value])) };
  } catch (error) {
    if (error instanceof Error && (error.name === "NotFound" || error.name === "NoSuchKey")) return undefined;
    throw error;
  }
}

/** Deletes every object of the bucket, by the thousand where XML can carry the keys and else one by one. */
export async function emptyBucket(client: S3, bucket: string, concurrency = 32): Promise<void> {
  const keys = [...(await listEverything(client, bucket)).keys()];
  const writable = keys.filter((key) => !unwritableInXml.test(key));
  for (let start = 0; start < writable.length; start += 1000) {
    const objects = writable.slice(start, start + 1000).map((Key) => ({ Key }));
    const { Errors = [] } = await client.deleteObjects({
      Bucket: bucket,
      Delete: { Quiet: true, Objects: objects },
    });
    if (Errors.length > 0)
      throw new Error(`${Errors.length} objects not deleted: ${JSON.stringify(Errors[0])}`);
  }
  const others = keys.filter((key) => unwritableInXml.test(key));
  await pLimit(concurrency).map(others, (Key) => client.deleteObject({ Bucket: bucket, Key }));
}

/** Characters that XML 1.0 has no way to write, not even as a character reference. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const unwritableInXml = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;
