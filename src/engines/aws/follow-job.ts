/** Follows a Batch Operations job to its end, shows its state, and ends it when it may not go on. */

import type { JobDescriptor } from "@aws-sdk/client-s3-control";
import { hasCode } from "../../domain/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ConsignmentOrder } from "../../ports/consignment-engine.ts";
import type { BatchJobs } from "./batch-jobs.ts";
import type { WaitNotes } from "./wait-notes.ts";

/** The reason given to S3 when `recall` or the end of the time ends a job; read back from the job after a crash. */
export const RECALLED = "Tranship: no copy may begin any more";
/** The beginning of the reason when failed tasks end a job. */
export const TOO_MANY_FAILED = "Tranship: too many tasks failed";

/** The share of failed tasks at which the engine ends a job, and from how many tasks on; S3 ends it at half of 1,000. */
const MOST_FAILED = 0.1;
const FROM_TASKS = 100;

const FIRST_POLL_MS = 1_000;
/** S3 may not know a job for a while after it was created. */
const NEW_JOB_MS = 120_000;

const ENDED: ReadonlySet<string> = new Set(["Complete", "Cancelled", "Failed"]);
const ENDING: ReadonlySet<string> = new Set(["Completing", "Cancelling", "Failing"]);

/** A followed job: its id, and when (epoch ms) it became known. */
export interface FollowedJob {
  readonly jobId: string;
  readonly since: number;
}

/** How many tasks of `job` have succeeded and failed, as far as S3 has told. */
export function endedTasks(job: JobDescriptor): { readonly succeeded: number; readonly failed: number } {
  const { NumberOfTasksSucceeded = 0, NumberOfTasksFailed = 0 } = job.ProgressSummary ?? {};
  return { succeeded: NumberOfTasksSucceeded, failed: NumberOfTasksFailed };
}

/** Follows one job; an instance serves once. */
export class JobFollower {
  readonly #jobs: BatchJobs;
  readonly #clock: Clock;
  readonly #mostPollMs: number;
  readonly #order: ConsignmentOrder;
  readonly #waits: WaitNotes;
  #pauseMs = FIRST_POLL_MS;

  constructor(
    parts: { readonly jobs: BatchJobs; readonly clock: Clock; readonly mostPollMs: number },
    order: ConsignmentOrder,
    waits: WaitNotes,
  ) {
    this.#jobs = parts.jobs;
    this.#clock = parts.clock;
    this.#mostPollMs = parts.mostPollMs;
    this.#order = order;
    this.#waits = waits;
  }

  /** The job after its end; null when S3 does not know it (any more). Throws as `BatchJobs`. */
  async follow({ jobId, since }: FollowedJob, signal: AbortSignal): Promise<JobDescriptor | null> {
    const waking = AbortSignal.any([signal, this.#order.recall]);
    let last: JobDescriptor | null = null;
    let asked = "";
    for (;;) {
      const reason = this.#reasonToEnd(last);
      if (reason !== null && !ENDING.has(last?.Status ?? "")) {
        await this.#cancel(jobId, reason, signal);
        asked = reason;
      }
      const job = await this.#look(jobId, signal, waking);
      if (job === undefined) continue;
      this.#show(jobId, job);
      if (job === null && this.#clock.now() >= since + NEW_JOB_MS) return null;
      if (job && ENDED.has(job.Status ?? ""))
        return { ...job, StatusUpdateReason: job.StatusUpdateReason ?? asked };
      await this.#pause(last, job, signal, waking);
      last = job;
    }
  }

  async #cancel(jobId: string, reason: string, signal: AbortSignal): Promise<void> {
    const isKnown = await this.#jobs.cancel(jobId, reason, signal);
    if (isKnown && this.#order.recall.aborted) this.#order.onRecalled?.();
  }

  /** The job; undefined when `recall` has aborted while it was looked at: a request that hangs must not delay the cancelling. */
  async #look(jobId: string, signal: AbortSignal, waking: AbortSignal) {
    const isRecalled = this.#order.recall.aborted;
    try {
      return await this.#jobs.describe(jobId, isRecalled ? signal : waking);
    } catch (error) {
      if (signal.aborted || isRecalled || !hasCode(error, "stopped")) throw error;
      return undefined;
    }
  }

  #show(jobId: string, job: JobDescriptor | null): void {
    const status = job?.Status ?? "New";
    if (!ENDED.has(status)) this.#waits.state(jobId, status, job);
    if (job === null) return;
    const { succeeded, failed } = endedTasks(job);
    this.#order.onProgress(succeeded + failed);
  }

  /** Why the job may not go on; null: it may. */
  #reasonToEnd(job: JobDescriptor | null): string | null {
    const { recall, consignment } = this.#order;
    const isLate = consignment.notAfter !== null && this.#clock.now() >= consignment.notAfter;
    if (recall.aborted || isLate) return RECALLED;
    const { succeeded, failed } = job === null ? { succeeded: 0, failed: 0 } : endedTasks(job);
    const ended = succeeded + failed;
    const isFailing = ended >= FROM_TASKS && failed >= ended * MOST_FAILED;
    return isFailing ? `${TOO_MANY_FAILED} (${failed} of ${ended})` : null;
  }

  /** Waits for the next look, longer while nothing changes; not longer than until `recall` aborts or the time ends. */
  async #pause(
    last: JobDescriptor | null,
    job: JobDescriptor | null,
    signal: AbortSignal,
    waking: AbortSignal,
  ): Promise<void> {
    const { recall, consignment } = this.#order;
    const isNews = recall.aborted || stateOf(last) !== stateOf(job);
    this.#pauseMs = Math.min(isNews ? FIRST_POLL_MS : this.#pauseMs * 1.5, this.#mostPollMs);
    const leftMs = (consignment.notAfter ?? Number.POSITIVE_INFINITY) - this.#clock.now();
    const pauseMs = leftMs > 0 ? Math.min(this.#pauseMs, leftMs) : this.#pauseMs;
    await this.#clock.sleep(pauseMs, recall.aborted ? signal : waking);
  }
}

/** What of a job changes while it proceeds. */
function stateOf(job: JobDescriptor | null): string {
  return `${job?.Status} ${JSON.stringify(job?.ProgressSummary)}`;
}
