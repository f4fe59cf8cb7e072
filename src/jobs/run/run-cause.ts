/** `StopCause` and `RunnerLog`: why a run ends before its job, and the log of runs. */

import { hasCode } from "../../domain/errors.ts";

/** Why a run ends before its job does. */
export type StopCause =
  | { readonly kind: "operator" }
  | { readonly kind: "shutdown" }
  | { readonly kind: "tripped"; readonly reason: string }
  | { readonly kind: "error"; readonly error: unknown };

/**
 * Whether copies that an external engine makes for the job must stop too. They go on where another process, or the next run,
 * continues the job.
 */
export function endsCopies(cause: StopCause): boolean {
  if (cause.kind !== "error") return cause.kind !== "shutdown";
  return !hasCode(cause.error, "lease_lost", "ledger_lost", "ledger_unavailable");
}

/** The part of a logger (pino) that runs use. */
export interface RunnerLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
