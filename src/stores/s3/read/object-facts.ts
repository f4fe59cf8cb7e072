/** HeadObject: an object's facts as the port has them. */

import {
  GetObjectCommand,
  HeadObjectCommand,
  type HeadObjectCommandInput,
  type HeadObjectCommandOutput,
} from "@aws-sdk/client-s3";
import type { Checksum } from "../../../domain/verdict.ts";
import type { ObjectFacts } from "../../../ports/object-store.ts";
import { explainRefusal } from "../client/explain-refusal.ts";
import type { S3Requests } from "../client/s3-requests.ts";
import { badAnswer, hasKind, S3Fault } from "../s3-errors.ts";
import { bareEtag } from "./etag.ts";
import { storageClassOf } from "./listing.ts";

const ARCHIVE_CLASSES: ReadonlySet<string> = new Set(["GLACIER", "DEEP_ARCHIVE"]);

const CHECKSUM_FIELDS = {
  CRC32: "ChecksumCRC32",
  CRC32C: "ChecksumCRC32C",
  CRC64NVME: "ChecksumCRC64NVME",
  SHA1: "ChecksumSHA1",
  SHA256: "ChecksumSHA256",
} as const satisfies Record<string, keyof HeadObjectCommandOutput>;

/** Sends HEAD; throws a fault of kind `gone` when there is no such object. */
export function sendHead(
  requests: S3Requests,
  input: HeadObjectCommandInput,
  signal: AbortSignal | undefined,
): Promise<HeadObjectCommandOutput> {
  const doing = `looking at ${input.Bucket}/${input.Key}`;
  const head = () =>
    requests.send({ kind: "head", doing }, signal, (client, options) =>
      client.send(new HeadObjectCommand(input), options),
    );
  return explainRefusal(head, () => readFirstByte(requests, input, doing, signal));
}

/** As {@link sendHead}; null when there is no such object. */
export async function headIfPresent(
  requests: S3Requests,
  input: HeadObjectCommandInput,
  signal: AbortSignal | undefined,
): Promise<HeadObjectCommandOutput | null> {
  try {
    return await sendHead(requests, input, signal);
  } catch (error) {
    if (hasKind(error, "gone")) return null;
    throw error;
  }
}

/** Needs the same permission as HEAD, and throws a fault with the reason of a refusal. */
async function readFirstByte(
  requests: S3Requests,
  { Bucket, Key }: HeadObjectCommandInput,
  doing: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    const output = await requests.send({ kind: "other", doing }, signal, (client, options) =>
      client.send(new GetObjectCommand({ Bucket, Key, Range: "bytes=0-0" }), options),
    );
    await output.Body?.transformToByteArray();
  } catch (error) {
    // An empty object has no first byte; the answer shows that access is allowed.
    if (!(error instanceof S3Fault) || error.status !== 416) throw error;
  }
}

/** The answer to HEAD as the port has it. Throws where size or ETag are missing. */
export function objectFactsOf(key: string, head: HeadObjectCommandOutput): ObjectFacts {
  if (head.ContentLength === undefined || head.ETag === undefined) {
    throw badAnswer(`looking at ${key}`, "neither size nor ETag given");
  }
  return {
    key,
    size: head.ContentLength,
    etag: bareEtag(head.ETag),
    storageClass: storageClassOf(head.StorageClass),
    modifiedAt: head.LastModified?.getTime() ?? 0,
    needsRestore: needsRestore(head),
    contentType: head.ContentType ?? null,
    encryption:
      head.ServerSideEncryption === undefined
        ? null
        : { algorithm: head.ServerSideEncryption, keyId: head.SSEKMSKeyId ?? null },
    metadata: head.Metadata ?? {},
    tagCount: head.TagCount ?? 0,
    checksums: checksumsOf(head),
  };
}

/** Archived and without a finished restore. Intelligent-Tiering names its archive tiers in `ArchiveStatus` only. */
export function needsRestore(
  head: Pick<HeadObjectCommandOutput, "StorageClass" | "Restore" | "ArchiveStatus">,
): boolean {
  if (head.Restore?.includes('ongoing-request="false"')) return false;
  return head.ArchiveStatus !== undefined || ARCHIVE_CLASSES.has(head.StorageClass ?? "");
}

/** The stored checksums. Where `ChecksumType` is missing, `-N` at the end marks composite ones. */
export function checksumsOf(head: Partial<HeadObjectCommandOutput>): readonly Checksum[] {
  const found: Checksum[] = [];
  for (const [algorithm, field] of Object.entries(CHECKSUM_FIELDS)) {
    const value = head[field];
    if (value === undefined) continue;
    const composite = head.ChecksumType === "COMPOSITE" || /-\d+$/.test(value);
    found.push({ algorithm, type: composite ? "COMPOSITE" : "FULL_OBJECT", value });
  }
  return found;
}
