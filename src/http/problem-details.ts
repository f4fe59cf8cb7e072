/** `problemOf`: turns an error into an HTTP answer, RFC 9457 problem details with a stable code. */

import { DomainError, type ErrorCode, type Fault } from "../domain/errors.ts";

/** Codes of {@link DomainError}, and those that only HTTP has. */
export type ProblemCode =
  | ErrorCode
  | "misdirected"
  | "method_not_allowed"
  | "unsupported_media_type"
  | "uri_too_long"
  | "header_fields_too_large"
  | "request_timeout";

/** Problem details (RFC 9457). */
export interface ProblemDetails {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ProblemCode;
  /** Path of the request, without its query. */
  readonly instance: string;
  /** The request's id, as in the log. */
  readonly requestId: string;
  readonly faults?: readonly Fault[];
  /** State of the job that does not allow the action. */
  readonly state?: string;
}

interface Kind {
  readonly status: number;
  readonly title: string;
}

/**
 * Every code with its status. A well-formed request that asks for something impossible is 422; 400 is kept for
 * requests that cannot be read at all ({@link RequestRefusal}). An idempotency key used for another job is 409, not
 * 422: the body is valid and conflicts with a recorded job. Failures of the stores and databases a
 * job names are 422 when the caller must change something, and 503 when waiting helps.
 */
export const PROBLEMS: Readonly<Record<ProblemCode, Kind>> = {
  invalid_input: { status: 422, title: "The input is not valid" },
  not_found: { status: 404, title: "Not found" },
  conflict: { status: 409, title: "Conflict" },
  state_conflict: { status: 409, title: "The job's state does not allow this" },
  idempotency_conflict: { status: 409, title: "The idempotency key belongs to another job" },
  precondition_failed: { status: 412, title: "It has changed since you read it" },
  unauthenticated: { status: 401, title: "A valid token is required" },
  forbidden: { status: 403, title: "The caller may not do this" },
  payload_too_large: { status: 413, title: "The body is too large" },
  not_available: { status: 501, title: "Not available here" },
  lease_lost: { status: 503, title: "Another instance took the job over" },
  stopped: { status: 503, title: "The service is stopping" },
  config_invalid: { status: 500, title: "The service is not configured correctly" },
  store_throttled: { status: 503, title: "The store asks for patience" },
  store_unavailable: { status: 503, title: "The store does not answer" },
  store_denied: { status: 422, title: "The store denied access" },
  store_credentials: { status: 422, title: "The store does not accept the credentials" },
  store_refused: { status: 422, title: "The store refused the request" },
  bucket_missing: { status: 422, title: "The bucket does not exist" },
  database_unavailable: { status: 503, title: "The database does not answer" },
  database_refused: { status: 422, title: "The database refused the statement" },
  engine_unavailable: { status: 503, title: "The copy engine does not answer" },
  engine_refused: { status: 422, title: "The copy engine refused the work" },
  ledger_unavailable: { status: 503, title: "The ledger does not answer" },
  ledger_lost: { status: 503, title: "The ledger is gone or damaged" },
  manifest_invalid: { status: 422, title: "The manifest is not valid" },
  internal: { status: 500, title: "Internal error" },
  misdirected: { status: 421, title: "The request is for another host" },
  method_not_allowed: { status: 405, title: "Method not allowed" },
  unsupported_media_type: { status: 415, title: "Unsupported media type" },
  uri_too_long: { status: 414, title: "The address is too long" },
  header_fields_too_large: { status: 431, title: "The header fields are too large" },
  request_timeout: { status: 408, title: "The request took too long to arrive" },
};

/** Value of `Retry-After` with a 503, in seconds; short, since most outages of stores and databases are. */
const RETRY_AFTER_SECONDS = 5;

export interface RefusalOptions {
  /** Instead of the code's own status. */
  readonly status?: number;
  readonly faults?: readonly Fault[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** A request that the HTTP layer itself refuses, before it calls a use case. */
export class RequestRefusal extends Error {
  readonly code: ProblemCode;
  /** The status under the name that Fastify reads and keeps. */
  readonly statusCode: number;
  readonly faults: readonly Fault[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ProblemCode, message: string, options: RefusalOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "RequestRefusal";
    this.code = code;
    this.statusCode = options.status ?? PROBLEMS[code].status;
    this.faults = options.faults ?? [];
    this.headers = options.headers ?? {};
  }
}

/** A request that cannot be read: `invalid_input` with status 400. */
export function unreadable(message: string, faults: readonly Fault[] = [], cause?: unknown): RequestRefusal {
  return new RequestRefusal("invalid_input", message, { status: 400, faults, cause });
}

/** Errors that Fastify raises while it reads a request, replaced because their messages would repeat input. */
const FRAMEWORK: Readonly<Record<string, (error: Error) => RequestRefusal>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: (cause) =>
    new RequestRefusal("payload_too_large", "The body may have at most 1 MiB.", { cause }),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: (cause) =>
    new RequestRefusal("unsupported_media_type", "Send the body as application/json.", { cause }),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: (cause) =>
    unreadable("The body is not as long as Content-Length says.", [], cause),
  FST_ERR_BAD_URL: (cause) => unreadable("The path is not validly percent-encoded.", [], cause),
  FST_ERR_MAX_PARAM_LENGTH: (cause) =>
    new RequestRefusal("uri_too_long", "A part of the path is too long.", { cause }),
};

/** Body and headers of a problem response. */
export interface ProblemAnswer {
  readonly body: ProblemDetails;
  readonly headers: Readonly<Record<string, string>>;
}

/** The response to `error`. An unexpected error becomes a 500 without details, so that nothing internal leaks. */
export function problemOf(error: unknown, url: string, requestId: string): ProblemAnswer {
  const known = knownError(error);
  const { code } = known;
  const status = known instanceof RequestRefusal ? known.statusCode : PROBLEMS[code].status;
  const { title } = PROBLEMS[code];
  const state = known instanceof DomainError ? known.details.state : undefined;
  return {
    headers: headersOf(known, status),
    body: {
      type: `urn:problem-type:tranship:${code}`,
      title,
      status,
      detail: status === 500 ? "The service's log has the cause, under this request id." : known.message,
      code,
      instance: pathOf(url),
      requestId,
      ...(known.faults.length > 0 ? { faults: known.faults } : {}),
      ...(typeof state === "string" ? { state } : {}),
    },
  };
}

/** The path of a request's URL without its query, which may hold secrets. */
export function pathOf(url: string): string {
  const end = url.search(/[?#]/);
  return end === -1 ? url : url.slice(0, end);
}

function knownError(error: unknown): DomainError | RequestRefusal {
  if (error instanceof RequestRefusal) return error;
  if (error instanceof DomainError) {
    // An internal error to callers: its message names parts of the configuration.
    return error.code === "config_invalid" ? internal(error) : error;
  }
  if (!(error instanceof Error)) return internal(error);
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
  const refuse = typeof code === "string" ? FRAMEWORK[code] : undefined;
  if (refuse !== undefined) return refuse(error);
  const ofCaller = typeof statusCode === "number" && statusCode >= 400 && statusCode < 500;
  const fromFramework = typeof code === "string" && code.startsWith("FST_ERR_");
  if (ofCaller && fromFramework) return unreadable("The request cannot be read.", [], error);
  return internal(error);
}

function internal(cause: unknown): DomainError {
  return new DomainError("internal", "internal error", { cause });
}

function headersOf(error: DomainError | RequestRefusal, status: number): Record<string, string> {
  const headers = error instanceof RequestRefusal ? { ...error.headers } : {};
  return status === 503 ? { ...headers, "retry-after": String(RETRY_AFTER_SECONDS) } : headers;
}
