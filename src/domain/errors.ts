/** DomainError: the closed list of errors Tranship raises on purpose, and their class. */

/**
 * Every code that can reach a caller. `http/problem-details.ts` maps each to a status; codes are stable and
 * documented, so scripts may compare them.
 */
export type ErrorCode =
  | "invalid_input"
  | "not_found"
  | "conflict"
  | "state_conflict"
  | "idempotency_conflict"
  | "precondition_failed"
  | "unauthenticated"
  | "forbidden"
  | "payload_too_large"
  | "not_available"
  | "lease_lost"
  | "stopped"
  | "config_invalid"
  | "store_throttled"
  | "store_unavailable"
  | "store_denied"
  | "store_credentials"
  | "store_refused"
  | "bucket_missing"
  | "database_unavailable"
  | "database_refused"
  | "engine_unavailable"
  | "engine_refused"
  | "ledger_unavailable"
  | "ledger_lost"
  | "manifest_invalid"
  | "internal";

/** One fault in a caller's input: where it is and what would be right. */
export interface Fault {
  /** JSON pointer (RFC 6901) into the input, `""` for the whole. */
  readonly pointer: string;
  readonly message: string;
  /** Stable name of the fault where preflight lists it as a problem, e.g. `target_inside_source`. */
  readonly code?: string;
}

export interface DomainErrorOptions {
  readonly cause?: unknown;
  readonly faults?: readonly Fault[];
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
}

/** An error with a stable code and a message that is shown to users; neither may contain secrets. */
export class DomainError extends Error {
  readonly code: ErrorCode;
  readonly faults: readonly Fault[];
  readonly details: Readonly<Record<string, string | number | boolean | null>>;

  constructor(code: ErrorCode, message: string, options: DomainErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "DomainError";
    this.code = code;
    this.faults = options.faults ?? [];
    this.details = options.details ?? {};
  }
}

/** Whether `error` is a `DomainError` with one of `codes`. */
export function hasCode(error: unknown, ...codes: readonly ErrorCode[]): error is DomainError {
  return error instanceof DomainError && codes.includes(error.code);
}

/** The message of any thrown value, for a log or an exception record. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
