/** GetObject: an object's body as a stream, which a stop signal cuts short, as reading has no effect. */

import type { Readable } from "node:stream";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { DomainError } from "../../../domain/errors.ts";
import type { S3Requests } from "../client/s3-requests.ts";
import { faultFromSdk } from "../client/sdk-faults.ts";

/** The chunks of object `at`; throws `stopped` when `signal` aborts, also between two of them. */
export async function* readObject(
  requests: S3Requests,
  at: { readonly bucket: string; readonly key: string },
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const doing = `reading ${at.bucket}/${at.key}`;
  // Without the abort signal of the deadline, which would end the body under a slow reader.
  const output = await requests.send({ kind: "other", doing }, signal, (client, { requestTimeout }) =>
    client.send(new GetObjectCommand({ Bucket: at.bucket, Key: at.key }), { requestTimeout }),
  );
  const body = output.Body as Readable;
  const stop = () => void body.destroy(new DomainError("stopped", `Stopped while ${doing}.`));
  signal?.addEventListener("abort", stop, { once: true });
  try {
    yield* body as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw error instanceof DomainError ? error : faultFromSdk(error, doing);
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}
