/** Keeps a request from being sent by a process that was suspended between deciding to send it and sending it. */

import type {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  PutObjectTaggingCommand,
} from "@aws-sdk/client-s3";

/** Requests that change what readers of a key see. */
type WriteCommand =
  | CompleteMultipartUploadCommand
  | CopyObjectCommand
  | DeleteObjectCommand
  | DeleteObjectsCommand
  | PutObjectTaggingCommand;

/**
 * Has `command` call `mayWrite` after serialising and signing, which take milliseconds, and right before its request is
 * written. When it gives false the request is not sent and fails with {@link notSentError}.
 */
export function guardSend(command: WriteCommand, mayWrite: () => boolean): void {
  // The stacks of all commands take the same middleware here; only their types are not compatible.
  const { middlewareStack } = command as DeleteObjectsCommand;
  middlewareStack.add(
    (next) => (args) => {
      if (!mayWrite()) throw notSentError();
      return next(args);
    },
    // The last one, whose `next` is the HTTP handler.
    { step: "deserialize", priority: "low", name: "guardSend" },
  );
}

/** For a request that was not sent. Named like a timeout, as it may be repeated in the same way. */
export function notSentError(): Error {
  const error = new Error("not sent: this process was stopped, and others may have taken over its work");
  error.name = "TimeoutError";
  return error;
}
