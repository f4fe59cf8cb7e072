/** RetryBackoff: waits after errors of stores and databases, with the reason shown, before the work is retried. */

import { DomainError, type ErrorCode, messageOf } from "../domain/errors.ts";
import type { WaitReason } from "../domain/job-state.ts";
import { backoffMs } from "../domain/rates/backoff.ts";
import type { Hold } from "../pacing/gate.ts";
import type { RunContext } from "./run-context.ts";

const AGAIN = { firstMs: 500, mostMs: 30_000 } as const;
/** Refusals are retried more often: load does not cause them, and they should end or be reported soon. */
const REFUSED_AGAIN = { firstMs: 500, mostMs: 4_000 } as const;
/** Refusals are retried for this time, at least this often: a table may be being renamed, a right or a bucket restored. */
const PATIENCE_MS = 15_000;
const LEAST_TRIES = 3;

/** Outages: retried without end. */
const AWAY: Partial<Record<ErrorCode, { readonly reason: WaitReason; readonly lead: string }>> = {
  database_unavailable: { reason: "database", lead: "" },
  ledger_unavailable: { reason: "database", lead: "" },
  store_unavailable: { reason: "throttled", lead: "the store does not answer: " },
  engine_unavailable: { reason: "engine", lead: "the copy engine does not answer: " },
  store_throttled: { reason: "throttled", lead: "the store does not answer: " },
};

/** Refusals: possibly a transient state of store or database, so retried for {@link PATIENCE_MS}. */
const REFUSED: Partial<Record<ErrorCode, { readonly reason: WaitReason; readonly lead: string }>> = {
  engine_refused: { reason: "engine", lead: "the copy engine refuses: " },
  database_refused: { reason: "database", lead: "the database refuses: " },
  store_refused: { reason: "throttled", lead: "the store refuses: " },
  store_denied: { reason: "throttled", lead: "the store refuses: " },
  bucket_missing: { reason: "throttled", lead: "the store refuses: " },
};

/** The consecutive failures of one piece of work that is retried after each. */
export class RetryBackoff {
  readonly #run: Pick<RunContext, "clock" | "signal" | "waits">;
  #attempts = 0;
  /** Consecutive refusals, and the monotonic time of the first. */
  #refusals = 0;
  #refusedAt = 0;

  constructor(run: Pick<RunContext, "clock" | "signal" | "waits">) {
    this.#run = run;
  }

  /** The work has made progress: the next failure counts as the first. */
  reset(): void {
    this.#attempts = 0;
    this.#refusals = 0;
  }

  /**
   * Waits before the next attempt when `error` may be transient. Throws `stopped`, and `error` itself when it is permanent or
   * a refusal that has persisted for {@link PATIENCE_MS}.
   */
  async backOffOrThrow(error: unknown): Promise<void> {
    const { clock, signal, waits } = this.#run;
    const rule = this.#ruleFor(error);
    this.#attempts += 1;
    const waitMs = Math.max(100, backoffMs(rule, this.#attempts, 0.5 + Math.random() / 2));
    // By the monotonic clock: setting the wall clock back must not lengthen this wait by hours.
    const endsAt = clock.monotonic() + waitMs;
    const trouble = waitFor(error, clock.now() + waitMs);
    await waits.waitWhileHeld(async () => (clock.monotonic() < endsAt ? trouble : null), signal);
    refuseIfStopped(signal);
  }

  /** The backoff rule for `error`; throws it when it is not to be retried. */
  #ruleFor(error: unknown) {
    if (kindOf(AWAY, error) !== null) {
      this.#refusals = 0;
      return AGAIN;
    }
    if (kindOf(REFUSED, error) === null) throw error;
    const now = this.#run.clock.monotonic();
    if (this.#refusals === 0) this.#refusedAt = now;
    if (this.#refusals >= LEAST_TRIES && now - this.#refusedAt >= PATIENCE_MS) throw error;
    this.#refusals += 1;
    return REFUSED_AGAIN;
  }
}

function kindOf<Kind>(kinds: Partial<Record<ErrorCode, Kind>>, error: unknown): Kind | null {
  return error instanceof DomainError ? (kinds[error.code] ?? null) : null;
}

function waitFor(error: unknown, until: number): Hold {
  const refused = kindOf(REFUSED, error);
  const kind = refused ?? kindOf(AWAY, error);
  if (kind === null) throw error;
  const end = refused === null ? "" : ` (tried again for ${PATIENCE_MS / 1000} s, then the job is paused)`;
  return { reason: kind.reason, until, detail: `${kind.lead}${messageOf(error)}${end}` };
}

/** Throws `stopped` when the job was asked to stop. */
export function refuseIfStopped(signal: AbortSignal): void {
  if (signal.aborted) throw new DomainError("stopped", "the job was asked to stop");
}
