/** Settles a run: which state it leaves its job in, as far as the ledger must be asked for that. */

import { hasCode, messageOf } from "../../domain/errors.ts";
import type { Tally } from "../../domain/tally.ts";
import type { Ledger } from "../../ports/ledger.ts";
import type { RunnerLog, StopCause } from "./run-cause.ts";
import { completionOf, failureEnd, leftEnd, type RunEnd } from "./run-end.ts";

/** What has to be known of the run. */
export interface EndedRun {
  readonly ledger: Pick<Ledger, "job" | "tally">;
  readonly jobId: string;
  readonly log: RunnerLog;
  /** Null: nothing was left to do. */
  readonly cause: StopCause | null;
  /** What the run has counted itself. */
  readonly counted: Tally;
}

/** The end, and the ledger's sums where they were asked for; null when nothing may be written about the job any more. */
export async function settlementOf(
  run: EndedRun,
): Promise<{ readonly end: RunEnd; readonly tally: Tally | null } | null> {
  const { cause } = run;
  if (cause === null) return completion(run);
  const end = await stoppedEnd(run, cause);
  return end === null ? null : { end, tally: null };
}

async function stoppedEnd(run: EndedRun, cause: StopCause): Promise<RunEnd | null> {
  const { log, jobId } = run;
  if (cause.kind === "tripped") return { state: "paused", reason: cause.reason };
  if (cause.kind !== "error") return leftState(run);
  if (hasCode(cause.error, "lease_lost")) {
    log.warn({ event: "lease_lost", jobId }, "another instance has taken the job over");
    return null;
  }
  if (hasCode(cause.error, "ledger_lost")) {
    log.error({ event: "ledger_lost", jobId, err: cause.error }, cause.error.message);
    return null;
  }
  log.error({ event: "job_error", jobId, err: cause.error }, messageOf(cause.error));
  if (hasCode(cause.error, "ledger_unavailable")) return leftState(run);
  return failureEnd(cause.error);
}

/** What the operator asked for last counts; without such a wish the job is queued, to be taken up again. */
async function leftState({ ledger, jobId }: EndedRun): Promise<RunEnd> {
  return leftEnd(await ledger.job(jobId));
}

/** Nothing is left to do: the ledger's sums decide how it ends. */
async function completion({ ledger, jobId, log, counted }: EndedRun) {
  const tally = await ledger.tally(jobId);
  if (tally.planned < counted.planned) {
    const reason = `the ledger has lost batches: ${counted.planned} objects planned, ${tally.planned} of them in it`;
    return { end: { state: "failed", reason } as const, tally };
  }
  const end = completionOf(tally);
  if (tally.planned === 0) log.warn({ event: "nothing_to_do", jobId }, end.reason ?? "");
  return { end, tally };
}
