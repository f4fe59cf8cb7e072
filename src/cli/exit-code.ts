/** The four exit codes and their causes. */

import type { ErrorCode } from "../domain/errors.ts";
import { isFinished, type JobState } from "../domain/job-state.ts";

export const EXIT = { completed: 0, failed: 1, badInput: 2, completedWithExceptions: 3 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/**
 * The code for a job that was watched or run here.
 *
 * | state                                           | code |
 * |-------------------------------------------------|------|
 * | completed                                       | 0    |
 * | completed_with_exceptions                       | 3    |
 * | failed, cancelled, and anything that is no end  | 1    |
 */
export function exitCodeOfState(state: JobState): ExitCode {
  if (state === "completed") return EXIT.completed;
  return state === "completed_with_exceptions" ? EXIT.completedWithExceptions : EXIT.failed;
}

/** The code for `status` of a job: an unfinished job is no failure. */
export function exitCodeOfLook(state: JobState): ExitCode {
  return isFinished(state) ? exitCodeOfState(state) : EXIT.completed;
}

/** Errors that a repetition does not cure, those that HTTP answers with 4xx. */
const CAUSED_BY_INPUT: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "invalid_input",
  "config_invalid",
  "manifest_invalid",
  "not_found",
  "conflict",
  "state_conflict",
  "idempotency_conflict",
  "precondition_failed",
  "unauthenticated",
  "forbidden",
  "payload_too_large",
  "store_denied",
  "store_credentials",
  "store_refused",
  "bucket_missing",
  "database_refused",
]);

/** The code for an error of this process. */
export function exitCodeOfError(code: ErrorCode): ExitCode {
  return CAUSED_BY_INPUT.has(code) ? EXIT.badInput : EXIT.failed;
}

/** The code for a service's HTTP status: 2xx, 4xx, anything else. */
export function exitCodeOfStatus(status: number): ExitCode {
  if (status >= 200 && status < 300) return EXIT.completed;
  return status >= 400 && status < 500 ? EXIT.badInput : EXIT.failed;
}
