/** Repeats requests to a table that is throttled or not reachable, with growing pauses and full jitter. */

import { DomainError, messageOf } from "../../domain/errors.ts";
import { backoffMs } from "../../domain/rates/backoff.ts";
import type { Clock } from "../../ports/clock.ts";

const BACKOFF = { firstMs: 50, mostMs: 5_000 } as const;

/** Errors by which the table asks for a pause, and those of credentials that are being replaced. */
const REPEATABLE: ReadonlySet<string> = new Set([
  "ProvisionedThroughputExceededException",
  "ThrottlingException",
  "RequestLimitExceeded",
  "TimeoutError",
  "AbortError",
  "ExpiredTokenException",
  "UnrecognizedClientException",
  "CredentialsProviderError",
]);

/** Codes of the socket, the resolver and Node's HTTP parser. */
const TRANSPORT = /^(E[A-Z_]{3,}|HPE_\w+|ERR_(STREAM|HTTP|SOCKET)\w*)$/;

/** The pauses between attempts, and their end. */
export interface TablePatience {
  readonly clock: Pick<Clock, "monotonic" | "sleep">;
  /** Without progress for this long, ms, `engine_unavailable` is thrown. */
  readonly mostMs: number;
  /** 0 to 1; `Math.random` unless given. */
  readonly random?: () => number;
}

/**
 * Calls `attempt` with what is left of `items` until it leaves nothing over; it gives the items that were not processed, and
 * passes `signal` to its request.
 * Throws `stopped` when `signal` was aborted, `engine_unavailable` after `mostMs` without progress, and `engine_refused` for
 * errors that repeating does not mend (no such table, no right, another key schema).
 */
export async function repeatWhileBusy<Item>(
  items: readonly Item[],
  attempt: (items: readonly Item[]) => Promise<readonly Item[]>,
  patience: TablePatience,
  signal?: AbortSignal,
): Promise<void> {
  const { clock, mostMs, random = Math.random } = patience;
  let left = items;
  let progressAt = clock.monotonic();
  for (let count = 1; ; count += 1) {
    const { rest, busy } = await attemptOnce(left, attempt, signal);
    if (rest.length === 0) return;
    if (rest.length < left.length) progressAt = clock.monotonic();
    left = rest;
    const pauseMs = backoffMs(BACKOFF, count, random());
    if (clock.monotonic() + pauseMs - progressAt > mostMs) throw new DomainError("engine_unavailable", busy);
    await clock.sleep(pauseMs, signal);
  }
}

/** What one attempt left over, and why. */
async function attemptOnce<Item>(
  items: readonly Item[],
  attempt: (items: readonly Item[]) => Promise<readonly Item[]>,
  signal: AbortSignal | undefined,
): Promise<{ readonly rest: readonly Item[]; readonly busy: string }> {
  try {
    return { rest: await attempt(items), busy: "the table left items unprocessed" };
  } catch (error) {
    if (signal?.aborted) throw new DomainError("stopped", "stopped during a request to the table");
    if (!isRepeatable(error)) throw new DomainError("engine_refused", textOf(error), { cause: error });
    return { rest: items, busy: textOf(error) };
  }
}

function isRepeatable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, $metadata } = error as { code?: unknown; $metadata?: { httpStatusCode?: number } };
  return (
    REPEATABLE.has(error.name) ||
    ($metadata?.httpStatusCode ?? 0) >= 500 ||
    (typeof code === "string" && TRANSPORT.test(code))
  );
}

/** The message of a wrong signature quotes the string to sign, which may hold a session token. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return messageOf(error);
  return error.name === "InvalidSignatureException" ? error.name : `${error.name}: ${error.message}`;
}
