/** `CopyStore` by the AWS SDK. */

import { CopyObjectCommand, HeadObjectCommand, type S3Client, type StorageClass } from "@aws-sdk/client-s3";
import { faultFromSdk } from "../stores/s3/client/sdk-faults.ts";
import { guardSend } from "../stores/s3/client/send-guard.ts";
import { copySource } from "../stores/s3/copy/copy-source.ts";
import { bareEtag, quotedEtag } from "../stores/s3/read/etag.ts";
import { badAnswer, hasKind } from "../stores/s3/s3-errors.ts";
import type { CopyStore } from "./copy-ports.ts";
import type { PlannedCopy } from "./planned-copy.ts";

const COPYING = "copying";
const LOOKING = "looking at the target";

/** Sends by `client`, which must repeat nothing by itself (`maxAttempts: 1`). */
export class S3CopyStore implements CopyStore {
  readonly #client: S3Client;

  constructor(client: S3Client) {
    this.#client = client;
  }

  async copy(
    { task, source, target }: PlannedCopy,
    mayBegin: () => boolean,
    signal: AbortSignal,
  ): Promise<string> {
    const command = new CopyObjectCommand({
      Bucket: target.bucket,
      Key: target.key,
      CopySource: copySource(source.bucket, source.key),
      CopySourceIfMatch: quotedEtag(task.etag),
      MetadataDirective: "COPY",
      TaggingDirective: "COPY",
      // A copy falls back to STANDARD unless the class is named.
      StorageClass: (task.storageClass ?? undefined) as StorageClass | undefined,
      ...(task.replacing === null ? { IfNoneMatch: "*" } : { IfMatch: quotedEtag(task.replacing) }),
    });
    guardSend(command, mayBegin);
    const output = await this.#client.send(command, { abortSignal: signal }).catch(asFault(COPYING));
    const etag = bareEtag(output.CopyObjectResult?.ETag);
    // S3 may answer 200 and fail afterwards: only an ETag in the body is success.
    if (etag === "") throw badAnswer(COPYING, "no ETag in the answer");
    return etag;
  }

  async lookAtTarget({ target }: PlannedCopy, signal: AbortSignal) {
    const command = new HeadObjectCommand({ Bucket: target.bucket, Key: target.key });
    try {
      const head = await this.#client.send(command, { abortSignal: signal }).catch(asFault(LOOKING));
      if (head.ContentLength === undefined) throw badAnswer(LOOKING, "no size given");
      return { etag: bareEtag(head.ETag), size: head.ContentLength };
    } catch (error) {
      if (hasKind(error, "gone")) return null;
      throw error;
    }
  }
}

function asFault(doing: string): (error: unknown) => never {
  return (error) => {
    throw faultFromSdk(error, doing);
  };
}
