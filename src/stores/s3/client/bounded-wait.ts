/** Waits for what a request needs before it is sent. Nothing has taken effect yet, so a stop may end the wait. */

import { DomainError } from "../../../domain/errors.ts";
import { SharedAborts } from "../../../pacing/rates/shared-aborts.ts";
import { S3Fault } from "../s3-errors.ts";

/** Hundreds of requests wait with one signal. */
const aborts = new SharedAborts();

/** What ends a wait. */
export interface WaitBounds {
  readonly signal: AbortSignal | undefined;
  readonly limitMs: number;
  /** For messages, as in "when listing bucket-a". */
  readonly doing: string;
}

/**
 * What `wait` gives: credentials from their provider, the route to a bucket. Throws `stopped` when the signal aborts
 * first, and `store_unavailable` after `limitMs`: a provider may be a program or a web service, and hang.
 */
export async function waitBounded<Result>(
  wait: Promise<Result>,
  { signal, limitMs, doing }: WaitBounds,
): Promise<Result> {
  let end = () => {};
  const ended = new Promise<never>((_, reject) => {
    const stop = () => reject(new DomainError("stopped", `Stopped before ${doing}.`));
    const message = `their provider has not answered for ${limitMs} ms`;
    const late = () =>
      reject(new S3Fault({ code: "CredentialsTimeout", status: null, message, kind: "unavailable" }, doing));
    const timer = setTimeout(late, limitMs);
    const forget = signal === undefined ? null : aborts.on(signal, stop);
    end = () => {
      clearTimeout(timer);
      forget?.();
    };
    if (signal?.aborted) stop();
  });
  try {
    return await Promise.race([wait, ended]);
  } finally {
    end();
    // Whichever settles second must not become an unhandled rejection.
    ended.catch(() => {});
    wait.catch(() => {});
  }
}
