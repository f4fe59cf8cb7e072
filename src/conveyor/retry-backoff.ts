/** Troubles of stores and databases: the work is held, the reason is shown, and it goes on where it was. */

import { DomainError, type ErrorCode, messageOf } from "../domain/errors.ts";
import type { WaitReason } from "../domain/job-state.ts";
import { backoffMs } from "../domain/rates/backoff.ts";
import type { Hold } from "../pacing/gate.ts";
import type { RunContext } from "./run-context.ts";

const AGAIN = { firstMs: 500, mostMs: 30_000 } as const;
/** A refusal is asked about more often: it is not for the load, and it is to end or to be told of soon. */
const REFUSED_AGAIN = { firstMs: 500, mostMs: 4_000 } as const;
/** So long what was refused is tried again, and this often at least: a table is renamed, a right or a bucket comes back. */
const PATIENCE_MS = 15_000;
const LEAST_TRIES = 3;

/** Nothing is wrong with the job: it waits for as long as it takes. */
const AWAY: Partial<Record<ErrorCode, { readonly reason: WaitReason; readonly lead: string }>> = {
  database_unavailable: { reason: "database", lead: "" },
  ledger_unavailable: { reason: "database", lead: "" },
  store_unavailable: { reason: "throttled", lead: "the store does not answer: " },
  store_throttled: { reason: "throttled", lead: "the store does not answer: " },
};

/** It may be a passing state of store or database all the same, and is worth some tries. */
const REFUSED: Partial<Record<ErrorCode, { readonly reason: WaitReason; readonly lead: string }>> = {
  database_refused: { reason: "database", lead: "the database refuses: " },
  store_refused: { reason: "throttled", lead: "the store refuses: " },
  store_denied: { reason: "throttled", lead: "the store refuses: " },
  bucket_missing: { reason: "throttled", lead: "the store refuses: " },
};

/** The troubles of one piece of work that is begun again after each of them. */
export class RetryBackoff {
  readonly #run: Pick<RunContext, "clock" | "signal" | "waits">;
  #attempts = 0;
  /** Refusals in a row, and when the first of them came, on the monotonic clock. */
  #refusals = 0;
  #refusedAt = 0;

  constructor(run: Pick<RunContext, "clock" | "signal" | "waits">) {
    this.#run = run;
  }

  /** The work has got on: the next trouble is the first again. */
  reset(): void {
    this.#attempts = 0;
    this.#refusals = 0;
  }

  /**
   * Waits before the next attempt when `error` may pass. Throws `stopped`, and `error` itself when no waiting cures it or
   * when it is a refusal that has stayed for {@link PATIENCE_MS}.
   */
  async backOffOrThrow(error: unknown): Promise<void> {
    const { clock, signal, waits } = this.#run;
    const rule = this.#ruleFor(error);
    this.#attempts += 1;
    const waitMs = Math.max(100, backoffMs(rule, this.#attempts, 0.5 + Math.random() / 2));
    // By the monotonic clock: one that is set back must not make this wait longer by hours.
    const endsAt = clock.monotonic() + waitMs;
    const trouble = waitFor(error, clock.now() + waitMs);
    await waits.waitWhileHeld(async () => (clock.monotonic() < endsAt ? trouble : null), signal);
    refuseIfStopped(signal);
  }

  /** How to go on after `error`; throws it when it is not to be tried again. */
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
