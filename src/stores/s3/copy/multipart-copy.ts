/** `UploadPartCopy`: copies a large object server-side in parts, and keeps what `CopyObject` would keep of it. */

import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type StorageClass,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import pLimit, { type LimitFunction } from "p-limit";
import { runParallel } from "../client/run-parallel.ts";
import { guardSend } from "../client/send-guard.ts";
import { bareEtag, etagOfParts, quotedEtag } from "../read/etag.ts";
import { sendHead } from "../read/object-facts.ts";
import { badAnswer, S3Fault } from "../s3-errors.ts";
import { checkCompletion } from "./completed-copy.ts";
import { copySource } from "./copy-source.ts";
import { findIncompleteUploads, type Upload } from "./incomplete-uploads.ts";
import { choosePartBytes, defaultPartBytes, type PartRange, partRanges } from "./part-plan.ts";
import { pinnedHeadInput, type SourceMetadata, tagHeader } from "./source-metadata.ts";
import { type CopyAttempt, sendIfTargetFits } from "./target-conditions.ts";

/** How large objects are cut. */
export interface PartSettings {
  /** Bytes in a part when the source's ETag does not dictate a size; null: see {@link defaultPartBytes}. */
  readonly partBytes: number | null;
  /** Parts of one object under way at once. */
  readonly partConcurrency: number;
}

/** Parts under way at once over all objects of a store; the SDK's other connections are left to other requests. */
const MAX_STORE_PARTS = 128;

/** The slots that all copies in parts on one store share. */
export function partSlots(): LimitFunction {
  return pLimit(MAX_STORE_PARTS);
}

/** What a copy in parts is made with; every request beside HEAD, tags and uploads' list goes through `limiter`. */
export interface MultipartCopy extends CopyAttempt {
  readonly source: SourceMetadata;
  /** See {@link partSlots}. */
  readonly slots: LimitFunction;
}

interface Copying extends MultipartCopy {
  readonly doing: string;
}

/** Not for the completion: when its answer was lost, the upload no longer exists for a second one. */
const REPEATABLE = { isRepeatable: true } as const;

/** Gives the new object's ETag. Whatever fails, the upload is aborted: parts are billed until then. */
export async function multipartCopy(copy: MultipartCopy, settings: PartSettings): Promise<string> {
  const { requests, request, source, signal, limiter } = copy;
  const copying = { ...copy, doing: `copying ${request.source.bucket}/${request.source.key} in parts` };
  const upload = await createUpload(copying);
  const preferred = settings.partBytes ?? defaultPartBytes(source.size, settings.partConcurrency);
  const partBytes = choosePartBytes({ ...source, etag: request.source.etag }, preferred);
  let etag: string;
  let parts: CompletedPart[];
  try {
    await abortIncompleteUploads(copying, upload);
    parts = await runParallel(partRanges(source.size, partBytes), settings.partConcurrency, (range) =>
      copyPart(copying, upload, range),
    );
    await limiter(0, () => checkUnchanged(copying), signal, REPEATABLE);
    etag = await complete(copying, upload, parts);
  } catch (error) {
    await abort(copying, upload);
    throw error;
  }
  const { target } = request;
  const expectedEtag = etagOfParts(parts.map(({ ETag }) => bareEtag(ETag)));
  return checkCompletion(
    requests,
    { target, etag, size: source.size, expectedEtag, tags: source.tags },
    limiter,
  );
}

/**
 * Ceph ignores the condition on parts: they are the source's if it is unchanged after them. Its metadata, which were read
 * before the parts, may be changed in place under the same ETag.
 */
async function checkUnchanged({ requests, request, source, signal, doing }: Copying): Promise<void> {
  const { LastModified: modified } = await sendHead(requests, pinnedHeadInput(request.source), signal);
  if ((modified?.getTime() ?? 0) === source.modifiedAt) return;
  throw new S3Fault(
    { code: "PreconditionFailed", status: 412, message: "the source changed in place" },
    doing,
  );
}

/** Ends at a stop: from then on the uploads may be those of the instance that continues the job. */
async function abortIncompleteUploads(copying: Copying, own: Upload): Promise<void> {
  const { requests, signal, limiter } = copying;
  const find = () => findIncompleteUploads(requests, own, signal);
  for (const upload of await limiter(0, find, signal, REPEATABLE)) {
    if (signal?.aborted) return;
    await abort(copying, upload);
  }
}

/** Repeats the part while that may help, which it does not once its upload has been aborted by another client. */
async function copyPart(copying: Copying, upload: Upload, range: PartRange): Promise<CompletedPart> {
  const { limiter, slots, signal } = copying;
  // The slot is taken inside the attempt: a part that waits for the bucket's rate limit holds none.
  const attempt = () =>
    slots(() =>
      sendPart(copying, upload, range).catch((error: unknown) => {
        if (error instanceof S3Fault && error.vendorCode === "NoSuchUpload") return error;
        throw error;
      }),
    );
  const part = await limiter(1, attempt, signal, REPEATABLE);
  if (part instanceof S3Fault) throw part;
  return part;
}

async function createUpload({ requests, request, signal, doing, source, limiter }: Copying): Promise<Upload> {
  const { target, storageClass } = request;
  const at = { Bucket: target.bucket, Key: target.key };
  const command = new CreateMultipartUploadCommand({
    ...at,
    ...source.kept,
    ...(source.tags.length === 0 ? {} : { Tagging: tagHeader(source.tags) }),
    ...(storageClass === null ? {} : { StorageClass: storageClass as StorageClass }),
  });
  const { expires } = source;
  if (expires !== null) {
    command.middlewareStack.add(
      (next) => (args) => {
        const headers = (args.request as { readonly headers: Record<string, string> }).headers;
        headers.expires = expires;
        return next(args);
      },
      { step: "build", name: "setRawExpires" },
    );
  }
  const create = () =>
    requests.send({ kind: "copy", doing, bytes: 0 }, signal, (client, options) =>
      client.send(command, options),
    );
  const output = await limiter(1, create, signal);
  if (output.UploadId === undefined) throw badAnswer(doing, "no upload id in the answer");
  return { ...at, UploadId: output.UploadId };
}

async function sendPart(
  { requests, request, signal, doing }: Copying,
  upload: Upload,
  range: PartRange,
): Promise<CompletedPart> {
  const { bucket, key, etag } = request.source;
  const bytes = range.last - range.first + 1;
  const output = await requests.send({ kind: "copy", doing, bytes }, signal, (client, options) =>
    client.send(
      new UploadPartCopyCommand({
        ...upload,
        PartNumber: range.number,
        CopySource: copySource(bucket, key),
        CopySourceRange: `bytes=${range.first}-${range.last}`,
        // On every part: the source may be overwritten between two of them.
        CopySourceIfMatch: quotedEtag(etag),
      }),
      options,
    ),
  );
  const result = output.CopyPartResult;
  if (bareEtag(result?.ETag) === "") throw badAnswer(doing, `no ETag for part ${range.number}`);
  return {
    PartNumber: range.number,
    ETag: result?.ETag,
    ChecksumCRC32: result?.ChecksumCRC32,
    ChecksumCRC32C: result?.ChecksumCRC32C,
    ChecksumCRC64NVME: result?.ChecksumCRC64NVME,
  };
}

async function complete(copying: Copying, upload: Upload, parts: CompletedPart[]): Promise<string> {
  const { requests, signal, doing, limiter } = copying;
  // A HEAD of the target, where one is needed, is part of the attempt and so comes after all waiting.
  const attempt = () =>
    sendIfTargetFits(copying, (conditions, mayBegin) =>
      requests.send({ kind: "copy", doing }, signal, (client, options) => {
        const input = { ...upload, MultipartUpload: { Parts: parts }, ...conditions };
        const command = new CompleteMultipartUploadCommand(input);
        guardSend(command, mayBegin);
        return client.send(command, options);
      }),
    );
  const output = await limiter(1, attempt, signal);
  if (output.ETag === undefined) throw badAnswer(doing, "no ETag in the answer");
  return bareEtag(output.ETag);
}

/** Does not throw faults of the store: an upload that stays is found by the next copy to this key. */
async function abort({ requests, signal, limiter }: Copying, upload: Upload): Promise<void> {
  const doing = `aborting an upload of ${upload.Bucket}/${upload.Key}`;
  const send = () =>
    requests.send({ kind: "other", doing }, undefined, (client, options) =>
      client.send(new AbortMultipartUploadCommand(upload), options),
    );
  try {
    // After a stop it is sent once, however busy the store is, as the stopping job waits for it.
    await (signal?.aborted ? send() : limiter(1, send));
  } catch (error) {
    if (!(error instanceof S3Fault)) throw error;
  }
}
