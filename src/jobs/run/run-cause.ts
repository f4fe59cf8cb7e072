/** `StopCause` and `RunnerLog`: why a run ends before its job, and the log of runs. */

/** Why a run ends before its job does. */
export type StopCause =
  | { readonly kind: "operator" }
  | { readonly kind: "shutdown" }
  | { readonly kind: "tripped"; readonly reason: string }
  | { readonly kind: "error"; readonly error: unknown };

/** The part of a logger (pino) that runs use. */
export interface RunnerLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
