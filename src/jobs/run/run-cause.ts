/** Why a run ends before its job does, and whom it tells. */

/** Why a run is to end before its job does. */
export type StopCause =
  | { readonly kind: "operator" }
  | { readonly kind: "shutdown" }
  | { readonly kind: "tripped"; readonly reason: string }
  | { readonly kind: "error"; readonly error: unknown };

export interface RunnerLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
