/** `CopyObject` by the SDK: for what the pools cannot send, and where they are not used. */

import { CopyObjectCommand, type CopyObjectCommandInput } from "@aws-sdk/client-s3";
import type { CopyRequest } from "../../../ports/object-store.ts";
import type { RequestLabel, S3Requests } from "../client/s3-requests.ts";
import { guardSend } from "../client/send-guard.ts";
import type { SingleCopyInput } from "./copy-headers.ts";

/** A copy to be sent in one request. */
export interface SingleCopy {
  readonly requests: S3Requests;
  readonly label: RequestLabel;
  readonly input: SingleCopyInput;
  readonly signal: AbortSignal | undefined;
  /** Called right before the request is written; false: it is not sent. */
  readonly mayBegin: () => boolean;
  readonly onAnswered?: CopyRequest["onAnswered"] | undefined;
}

/** Gives the ETag of the new object as the store wrote it. Does not call `onAnswered`. */
export async function copyBySdk({
  requests,
  label,
  input,
  signal,
  mayBegin,
}: Omit<SingleCopy, "input"> & { readonly input: CopyObjectCommandInput }): Promise<string | undefined> {
  const command = new CopyObjectCommand(input);
  guardSend(command, mayBegin);
  const output = await requests.send(label, signal, (client, options) => client.send(command, options));
  return output.CopyObjectResult?.ETag;
}
