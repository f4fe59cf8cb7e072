/** Keeps a request from being sent by a process that was stopped between deciding and sending. */

import type {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  PutObjectTaggingCommand,
} from "@aws-sdk/client-s3";

/** Requests that change what others see at a key. */
type Change =
  | CompleteMultipartUploadCommand
  | CopyObjectCommand
  | DeleteObjectCommand
  | DeleteObjectsCommand
  | PutObjectTaggingCommand;

/** Preparing and signing take milliseconds, in which a process may be stopped for hours. */
export function lookBeforeSending(command: Change, mayWrite: () => boolean): void {
  // The stacks take the same middleware here; only their types do not compare.
  const { middlewareStack } = command as DeleteObjectsCommand;
  middlewareStack.add(
    (next) => (args) => {
      if (!mayWrite()) throw notSent();
      return next(args);
    },
    // After everything else, right where the HTTP handler is called.
    { step: "deserialize", priority: "low", name: "lookBeforeSending" },
  );
}

/** A request that was not sent; by its name like one that timed out, for it may be repeated. */
export function notSent(): Error {
  const error = new Error("not sent: this process was stopped, and others may have taken over its work");
  error.name = "TimeoutError";
  return error;
}
