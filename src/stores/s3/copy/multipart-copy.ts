/** Copies an object too large for `CopyObject`: server-side, in parts, keeping what `CopyObject` would keep. */

import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type StorageClass,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import pLimit, { type LimitFunction } from "p-limit";
import type { CopyRequest, WritePass } from "../../../ports/object-store.ts";
import { runParallel } from "../client/run-parallel.ts";
import type { S3Requests } from "../client/s3-requests.ts";
import { bareEtag, etagOfParts, quotedEtag } from "../read/etag.ts";
import { headObject } from "../read/object-facts.ts";
import { badAnswer, S3Fault } from "../s3-errors.ts";
import type { StoreAbilities } from "../store-abilities.ts";
import { copySource } from "./copy-source.ts";
import { lookBeforeSending } from "./last-look.ts";
import { findLeftovers, type Upload } from "./leftover-uploads.ts";
import { handyPartBytes, type PartRange, partBytesFor, partRanges } from "./part-plan.ts";
import { settleTarget } from "./settle-target.ts";
import { pinnedHead, type SourceTraits, tagHeader } from "./source-traits.ts";
import { guardTarget } from "./target-guard.ts";

/** How large objects are cut. */
export interface PartSettings {
  /** Bytes in a part when the source does not suggest a size; null: see {@link handyPartBytes}. */
  readonly partBytes: number | null;
  /** Parts of one object under way at once. */
  readonly partConcurrency: number;
}

/** Parts under way at once over all objects of a store; the SDK's other connections are left to everything else. */
const MAX_STORE_PARTS = 128;

/** The slots that all copies in parts on one store share. */
export function partSlots(): LimitFunction {
  return pLimit(MAX_STORE_PARTS);
}

/** What a copy in parts is made of. */
export interface PartedCopy {
  readonly requests: S3Requests;
  readonly request: CopyRequest;
  readonly abilities: StoreAbilities;
  readonly signal: AbortSignal | undefined;
  readonly traits: SourceTraits;
  /** Shared with other objects: each part takes a place. */
  readonly slots: LimitFunction;
  /** Every write goes through it; the first is paid for twice then, which does no harm. */
  readonly pass: WritePass;
}

/** What all steps of one copy need. */
interface Copying extends PartedCopy {
  readonly doing: string;
}

/** Of parts and looks; a completion whose answer was lost finds no upload any more when it is repeated. */
const REPEATABLE = { isRepeatable: true } as const;

/** Gives the new object's ETag. Whatever fails, no unfinished upload is left: they are billed until somebody looks. */
export async function multipartCopy(copy: PartedCopy, settings: PartSettings): Promise<string> {
  const { requests, request, traits, signal, pass } = copy;
  const doing = `copying ${request.source.bucket}/${request.source.key} in parts`;
  const copying: Copying = { ...copy, doing };
  const upload = await createUpload(copying);
  const handy = settings.partBytes ?? handyPartBytes(traits.size, settings.partConcurrency);
  const partBytes = partBytesFor({ ...traits, etag: request.source.etag }, handy);
  const ranges = partRanges(traits.size, partBytes);
  let etag: string;
  let parts: CompletedPart[];
  try {
    await abortLeftovers(copying, upload);
    parts = await runParallel(ranges, settings.partConcurrency, (range) =>
      // A part that has to wait for the bucket's rate takes no place of others meanwhile.
      partOf(copying, upload, range),
    );
    await pass(0, () => expectUnchanged(copying), signal, REPEATABLE);
    etag = await complete(copying, upload, parts);
  } catch (error) {
    await abort(copying, upload);
    throw error;
  }
  const { target } = request;
  const expected = etagOfParts(parts.map(({ ETag }) => bareEtag(ETag)));
  return settleTarget(requests, { target, etag, size: traits.size, expected, tags: traits.tags }, pass);
}

/**
 * Some stores ignore the condition on parts; if the source still is what it was, so was every part. Its metadata were
 * read before all waiting, and may be changed in place under the same ETag.
 */
async function expectUnchanged({ requests, request, traits, signal, doing }: Copying): Promise<void> {
  const { LastModified: modified } = await headObject(requests, pinnedHead(request.source), signal);
  if ((modified?.getTime() ?? 0) === traits.modifiedAt) return;
  throw new S3Fault(
    { code: "PreconditionFailed", status: 412, message: "the source changed in place" },
    doing,
  );
}

/** One stopped in between leaves them: they may be a successor's by now. */
async function abortLeftovers(copying: Copying, upload: Upload): Promise<void> {
  const { requests, signal, pass } = copying;
  const find = () => findLeftovers(requests, upload, signal);
  for (const leftover of await pass(0, find, signal, REPEATABLE)) {
    if (signal?.aborted) return;
    await abort(copying, leftover);
  }
}

/** Copies a part, again and again while that may help: without its upload, which somebody has aborted, it does not. */
async function partOf(copying: Copying, upload: Upload, range: PartRange): Promise<CompletedPart> {
  const { pass, slots, signal } = copying;
  const attempt = () =>
    slots(() =>
      copyPart(copying, upload, range).catch((error: unknown) => {
        if (error instanceof S3Fault && error.vendorCode === "NoSuchUpload") return error;
        throw error;
      }),
    );
  const part = await pass(1, attempt, signal, REPEATABLE);
  if (part instanceof S3Fault) throw part;
  return part;
}

async function createUpload({ requests, request, signal, doing, traits, pass }: Copying): Promise<Upload> {
  const { target, storageClass } = request;
  const at = { Bucket: target.bucket, Key: target.key };
  const command = new CreateMultipartUploadCommand({
    ...at,
    ...traits.kept,
    ...(traits.tags.length === 0 ? {} : { Tagging: tagHeader(traits.tags) }),
    ...(storageClass === null ? {} : { StorageClass: storageClass as StorageClass }),
  });
  const { expires } = traits;
  if (expires !== null) {
    command.middlewareStack.add(
      (next) => (args) => {
        const headers = (args.request as { readonly headers: Record<string, string> }).headers;
        headers.expires = expires;
        return next(args);
      },
      { step: "build", name: "keepExpiresAsItIs" },
    );
  }
  const create = () =>
    requests.send({ kind: "copy", doing, bytes: 0 }, signal, (client, options) =>
      client.send(command, options),
    );
  const output = await pass(1, create, signal);
  if (output.UploadId === undefined) throw badAnswer(doing, "no upload id in the answer");
  return { ...at, UploadId: output.UploadId };
}

async function copyPart(
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
  const { requests, signal, doing, pass } = copying;
  // The look, where it is needed, is part of the attempt: whatever is waited for comes before it.
  const attempt = () =>
    guardTarget(copying, (conditions, mayBegin) =>
      requests.send({ kind: "copy", doing }, signal, (client, options) => {
        const input = { ...upload, MultipartUpload: { Parts: parts }, ...conditions };
        const command = new CompleteMultipartUploadCommand(input);
        lookBeforeSending(command, mayBegin);
        return client.send(command, options);
      }),
    );
  const output = await pass(1, attempt, signal);
  if (output.ETag === undefined) throw badAnswer(doing, "no ETag in the answer");
  return bareEtag(output.ETag);
}

/** Never stopped and never the reason of a failure: what stays is found by the next copy to this key. */
async function abort({ requests, signal, pass }: Copying, upload: Upload): Promise<void> {
  const doing = `aborting an upload of ${upload.Bucket}/${upload.Key}`;
  const send = () =>
    requests.send({ kind: "other", doing }, undefined, (client, options) =>
      client.send(new AbortMultipartUploadCommand(upload), options),
    );
  try {
    // A job that is to stop waits for this, so it is tried once then, however busy the store.
    await (signal?.aborted ? send() : pass(1, send));
  } catch (error) {
    if (!(error instanceof S3Fault)) throw error;
  }
}
