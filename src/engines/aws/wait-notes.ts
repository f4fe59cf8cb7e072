/** WaitNotes: what a consignment waits for, told when it changes. */

import type { JobDescriptor } from "@aws-sdk/client-s3-control";
import type { EngineWait } from "../../ports/consignment-engine.ts";

/** Sentences for the states in which a job copies nothing. */
const SENTENCES: Readonly<Record<string, (job: string) => string>> = {
  New: (job) => `S3 Batch Operations has accepted job ${job} and not begun it`,
  Preparing: (job) => `S3 Batch Operations prepares job ${job}`,
  Ready: (job) => `job ${job} of S3 Batch Operations waits for its turn`,
  Suspended: (job) => `job ${job} of S3 Batch Operations waits for a confirmation`,
  Pausing: (job) => `S3 Batch Operations pauses job ${job} for jobs of higher priority`,
  Paused: (job) => `S3 Batch Operations has paused job ${job} for jobs of higher priority`,
  Completing: (job) => `S3 Batch Operations writes the report of job ${job}`,
  Cancelling: (job) => `S3 Batch Operations cancels job ${job}`,
  Failing: (job) => `S3 Batch Operations ends job ${job}, which failed`,
};

/** Passes on what is waited for, once for each change. */
export class WaitNotes {
  readonly #onWait: (wait: EngineWait | null) => void;
  #told: string | null = null;

  constructor(onWait: (wait: EngineWait | null) => void) {
    this.#onWait = onWait;
  }

  /** The job is in this state. */
  state(jobId: string, status: string, job: JobDescriptor | null): void {
    const sentence = SENTENCES[status]?.(jobId);
    const cause = status === "Suspended" && job?.SuspendedCause ? `: ${job.SuspendedCause}` : "";
    if (sentence === undefined) this.clear();
    else this.wait(`${sentence}${cause}`);
  }

  /** `until`: epoch ms, null where it is not known. */
  wait(detail: string, until: number | null = null): void {
    if (this.#told === detail) return;
    this.#told = detail;
    this.#onWait({ detail, until });
  }

  /** Copies are being made. */
  clear(): void {
    if (this.#told === null) return;
    this.#told = null;
    this.#onWait(null);
  }
}
