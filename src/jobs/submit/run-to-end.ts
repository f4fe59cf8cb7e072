/** `continueOrSubmit`: finds the job that `tranship run JOB.json` continues, or submits a new one. */

import { canonicalJson } from "../../domain/canonical-json.ts";
import { DomainError } from "../../domain/errors.ts";
import type { JobSpec } from "../../domain/job-spec.ts";
import { isFinished, JOB_STATES } from "../../domain/job-state.ts";
import type { JobRecord } from "../../ports/ledger.ts";
import { actOnJob } from "../job-control.ts";
import type { JobParts } from "../job-parts.ts";
import { takeSettings } from "./amend-job.ts";
import { namesOf, submitJob } from "./job-submission.ts";
import { parseJobSpec } from "./parse-job-spec.ts";

/**
 * Gives the id of the job to work on: an unfinished job of the same spec is continued, after a crash or Ctrl-C for example.
 * Limits, windows and guards are not compared. Throws as `submitJob` and `actOnJob` do.
 */
export async function continueOrSubmit(parts: JobParts, input: unknown, actor: string): Promise<string> {
  const wanted = relocationOf(parseJobSpec(input, namesOf(parts)));
  for await (const job of unfinishedJobs(parts)) {
    if (relocationOf(job.spec) !== wanted) continue;
    if (job.state === "paused" || job.state === "failed") await actOnJob(parts, job.id, "resume", actor);
    return job.id;
  }
  const { job } = await submitJob(parts, input, { idempotencyKey: null, actor });
  return job.id;
}

/**
 * Gives job `id` the limits, windows and guards of its file. Call it when no other process works on the job: a running one
 * keeps the settings that operators have given it.
 */
export async function takeFileSettings(
  parts: JobParts,
  id: string,
  input: unknown,
  actor: string,
): Promise<void> {
  const job = await parts.ledger.job(id);
  if (job === null) return;
  const { limits, windows, guards } = parseJobSpec(input, namesOf(parts));
  await takeSettings(parts, job, { ...job.spec, limits, windows, guards }, actor);
}

/** A job's spec without the parts that may change while it runs, as text to compare. */
function relocationOf({ limits: _limits, windows: _windows, guards: _guards, ...rest }: JobSpec): string {
  return canonicalJson(rest);
}

async function* unfinishedJobs({ ledger }: JobParts): AsyncGenerator<JobRecord> {
  const states = JOB_STATES.filter((state) => !isFinished(state) || state === "failed");
  for (let cursor: string | null = null; ; ) {
    const page = await ledger.jobs({ states, limit: 100, cursor });
    yield* page.items;
    if (page.next === null) return;
    cursor = page.next;
  }
}

/**
 * Waits until the lease of a run that crashed has expired, or `signal` aborts. Throws `conflict` when the lease is renewed
 * meanwhile: then another process works on the job.
 */
export async function waitForLease(
  { ledger, clock }: JobParts,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  const until = (await ledger.job(id))?.leaseUntil ?? 0;
  if (until <= clock.now()) return;
  await clock.sleep(until - clock.now() + 1, signal);
  const now = (await ledger.job(id))?.leaseUntil ?? 0;
  if (now > until && !signal.aborted) {
    throw new DomainError("conflict", `another process works on job ${id}; stop it there first, or watch it`);
  }
}
