/** `SilenceLog`: logs once that a store or database of a job does not answer, and once that it answers again. */

import type { WaitReason } from "../../domain/job-state.ts";
import type { JobStallDetectors } from "../../pacing/stall-detector.ts";
import type { Clock } from "../../ports/clock.ts";
import type { RunnerLog } from "./run-cause.ts";

const NAMES: Readonly<Partial<Record<WaitReason, string>>> = { throttled: "store", database: "database" };

/** Events `store_silent` and `database_silent` (warn), `store_answers` and `database_answers` (info). */
export class SilenceLog {
  readonly #stalls: JobStallDetectors;
  readonly #clock: Clock;
  readonly #jobId: string;
  readonly #log: RunnerLog;
  /** Reasons that were logged and still hold. */
  readonly #told = new Set<WaitReason>();

  constructor(stalls: JobStallDetectors, clock: Clock, jobId: string, log: RunnerLog) {
    this.#stalls = stalls;
    this.#clock = clock;
    this.#jobId = jobId;
    this.#log = log;
  }

  /** Logs changes since the last call; call it about once a second, and at the end. */
  check(): void {
    const silences = this.#stalls.silences(this.#clock.now());
    for (const { reason, since, detail } of silences) {
      if (this.#told.has(reason)) continue;
      this.#told.add(reason);
      const fields = { jobId: this.#jobId, since: new Date(since).toISOString(), detail };
      this.#log.warn({ event: `${NAMES[reason]}_silent`, ...fields }, detail);
    }
    for (const reason of this.#told) {
      if (silences.some((silence) => silence.reason === reason)) continue;
      this.#told.delete(reason);
      const name = NAMES[reason];
      this.#log.info({ event: `${name}_answers`, jobId: this.#jobId }, `the ${name} answers again`);
    }
  }
}
