/** Which job does `tranship run JOB.json` mean: an unfinished one of the same spec, or a new one? */

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
 * Gives the id of the job to work on: after a crash or Ctrl-C the same file goes on where it stopped. Limits, windows and
 * guards make no other job of it.
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
 * Gives job `id` the limits, windows and guards of its file: they are what its owner wants now. For when nobody else works
 * on it any more: whoever does has the settings he was given.
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

/** A job without what may change while it runs, as text. */
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
 * Waits until the lease of a run that crashed has run out. Throws `conflict` when it is prolonged meanwhile: then its
 * owner lives.
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
