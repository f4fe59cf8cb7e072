/** `settlementOf`: the state in which a run leaves its job, with what the ledger must be asked for it. */

import type { Recalls } from "../../conveyor/recalls.ts";
import { hasCode, messageOf } from "../../domain/errors.ts";
import type { Tally } from "../../domain/tally.ts";
import type { Ledger } from "../../ports/ledger.ts";
import type { RunnerLog, StopCause } from "./run-cause.ts";
import { completionOf, failureEnd, leftEnd, type RunEnd } from "./run-end.ts";

/** What is known of the run at its end. */
export interface EndedRun {
  readonly ledger: Pick<Ledger, "job" | "tally" | "consignments">;
  readonly jobId: string;
  readonly log: RunnerLog;
  /** Null: no work was left. */
  readonly cause: StopCause | null;
  /** The tally that the run itself has counted. */
  readonly counted: Tally;
  /** Null: the service copies, or the engine could not be opened. */
  readonly recalls: Recalls | null;
  readonly now: number;
}

/** The end, and the ledger's tally where it was read; null when nothing may be written about the job (lease or ledger lost). */
export async function settlementOf(
  run: EndedRun,
): Promise<{ readonly end: RunEnd; readonly tally: Tally | null } | null> {
  const { cause } = run;
  if (cause === null) return completion(run);
  const end = await stoppedEnd(run, cause);
  return end === null ? null : { end: await whileUnrecalled(run, cause, end), tally: null };
}

/** A job that is to stop is left `pausing` or `cancelling` while its engine may still begin copies: the next run recalls them. */
async function whileUnrecalled(run: EndedRun, cause: StopCause, end: RunEnd): Promise<RunEnd> {
  const { ledger, jobId, recalls, now } = run;
  const stopping = { paused: "pausing", cancelled: "cancelling" } as const;
  const isStop = cause.kind !== "error" && (end.state === "paused" || end.state === "cancelled");
  if (!isStop) return end;
  const records = await ledger.consignments(jobId);
  if (!records.some(({ id, state }) => state === "open" && recalls?.isConfirmed(id) !== true)) return end;
  const failure = recalls === null ? "it cannot be used with this configuration" : recalls.failure;
  const because = failure === null ? "" : `: ${failure}`;
  const detail = `the copy engine has not confirmed yet that it begins no further copy${because}`;
  return {
    ...end,
    state: stopping[end.state as keyof typeof stopping],
    waiting: { reason: "engine", since: now, until: null, detail },
  };
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

/** The state that the operator last asked for; `queued` without such a request. */
async function leftState({ ledger, jobId }: EndedRun): Promise<RunEnd> {
  return leftEnd(await ledger.job(jobId));
}

/** No work is left: the ledger's tally decides the end. */
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

/** Logs the state in which a run leaves its job. `deletionGapMs`: the median time in which an overwritten source goes unnoticed. */
export function logLeft(log: RunnerLog, jobId: string, end: RunEnd, deletionGapMs: number | null): void {
  const level = end.state === "failed" ? "error" : "info";
  // Null where the store keeps to conditions on deletions.
  const gap = deletionGapMs === null ? {} : { deletionGapMs };
  log[level]({ event: "job_left", jobId, ...end, ...gap }, `job ${end.state}`);
}
