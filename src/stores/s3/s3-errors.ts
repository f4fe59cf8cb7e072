/** Classifies the errors of a store by code and status, never by message text. */

import type { ExceptionCode } from "../../domain/batch.ts";
import { DomainError, type ErrorCode } from "../../domain/errors.ts";
import type { ObjectFailure } from "../../ports/object-store.ts";

/** What an error means to Tranship. */
export type FaultKind =
  | "throttled"
  /** The same request may succeed later. */
  | "unavailable"
  | "bucket_missing"
  /** The object (or upload) does not exist. */
  | "gone"
  | "precondition_failed"
  /** Not permitted for this object; others may be. */
  | "denied"
  /** The credentials have expired, are unknown to the store or cannot be obtained; others may be accepted. */
  | "stale_credentials"
  /** As `stale_credentials`, during the grace period of `CredentialWatch`. */
  | "credentials_awaited"
  /** The signature is wrong, or the account is not active. */
  | "credentials"
  | "needs_restore"
  /** The store does not support this request, or a header of it. */
  | "not_implemented"
  | "wrong_region"
  | "refused";

const KIND_BY_CODE: ReadonlyMap<string, FaultKind> = new Map(
  Object.entries({
    throttled: [
      "SlowDown",
      "SlowDownRead",
      "SlowDownWrite",
      "ServiceUnavailable",
      "RequestLimitExceeded",
      "BandwidthLimitExceeded",
      "RequestThrottled",
      "RequestThrottledException",
      "Throttling",
      "ThrottlingException",
      "ThrottledException",
      "KMS.ThrottlingException",
      "TooManyRequests",
      "TooManyRequestsException",
    ],
    unavailable: [
      "InternalError",
      "ConditionalRequestConflict",
      "OperationAborted",
      "RequestTimeTooSkewed",
      "RequestTimeout",
      "RequestTimeoutException",
      "NoSuchUpload",
      // See provider-errors.ts.
      "CredentialsServiceUnavailable",
    ],
    bucket_missing: ["NoSuchBucket"],
    gone: ["NoSuchKey", "NoSuchVersion", "NotFound"],
    precondition_failed: ["PreconditionFailed"],
    denied: ["AccessDenied", "AllAccessDisabled", "AccessForbidden"],
    stale_credentials: [
      "ExpiredToken",
      "ExpiredTokenException",
      "TokenRefreshRequired",
      "InvalidAccessKeyId",
      "InvalidToken",
      "InvalidClientTokenId",
      "CredentialsProviderError",
      "TokenProviderError",
    ],
    credentials: ["SignatureDoesNotMatch", "AuthFailure", "NotSignedUp", "AccountProblem"],
    needs_restore: ["ObjectNotInActiveTierError", "InvalidObjectState"],
    not_implemented: ["NotImplemented", "MethodNotAllowed", "XNotImplemented"],
    wrong_region: [
      "PermanentRedirect",
      "TemporaryRedirect",
      "AuthorizationHeaderMalformed",
      "IllegalLocationConstraintException",
    ],
  } satisfies Partial<Record<FaultKind, readonly string[]>>).flatMap(([kind, codes]) =>
    codes.map((code) => [code, kind as FaultKind] as const),
  ),
);

/** The kind of an error, by its code; of an unknown code by the HTTP status (null: there was no answer). */
export function faultKind(code: string, status: number | null): FaultKind {
  const known = KIND_BY_CODE.get(code);
  if (known !== undefined) return known;
  if (status === null) return "refused";
  if (status === 429 || status === 503) return "throttled";
  if (status === 501 || status === 405) return "not_implemented";
  // A 2xx that cannot be parsed was cut short or is not from the store.
  if (status >= 500 || (status >= 200 && status < 300)) return "unavailable";
  if (status === 401 || status === 403) return "denied";
  if (status === 404) return "gone";
  if (status === 412) return "precondition_failed";
  return status >= 300 && status < 400 ? "wrong_region" : "refused";
}

/** Whether `error` refuses the credentials of a request, so that it may succeed with others. */
export function isStale(error: unknown): boolean {
  return error instanceof S3Fault && KIND_BY_CODE.get(error.vendorCode) === "stale_credentials";
}

const CODE_BY_KIND: Readonly<Record<FaultKind, ErrorCode>> = {
  throttled: "store_throttled",
  unavailable: "store_unavailable",
  bucket_missing: "bucket_missing",
  gone: "store_refused",
  precondition_failed: "store_refused",
  denied: "store_denied",
  stale_credentials: "store_credentials",
  credentials_awaited: "store_unavailable",
  credentials: "store_credentials",
  needs_restore: "store_refused",
  not_implemented: "store_refused",
  wrong_region: "store_refused",
  refused: "store_refused",
};

const RENEW = "renew them where its configuration takes them from";

const TEXT_BY_KIND: Readonly<Record<FaultKind, string>> = {
  throttled: "The store asks to slow down",
  unavailable: "The store did not give a usable answer",
  bucket_missing: "The bucket does not exist",
  gone: "The object is not there",
  precondition_failed: "A condition of the request does not hold",
  denied: "The store denied access",
  stale_credentials: `The store's credentials have expired, are not known to it or cannot be had; ${RENEW}`,
  credentials_awaited: "The store's credentials are not accepted just now; others are awaited",
  credentials: `The store does not accept the credentials; ${RENEW}`,
  needs_restore: "The object is archived",
  not_implemented: "The store does not know this request",
  wrong_region: "The bucket is in another region; configure the store with that region",
  refused: "The store refused the request",
};

export interface FaultParts {
  readonly code: string;
  readonly status: number | null;
  readonly message: string;
  readonly kind?: FaultKind;
  /** The store's configured name. */
  readonly store?: string;
  readonly cause?: unknown;
}

/** What a store says about a signature may quote parts of it. */
const SENSITIVE: ReadonlySet<FaultKind> = new Set([
  "credentials",
  "stale_credentials",
  "credentials_awaited",
]);

/** An error of a store: by its `kind` the outcome of one object, or an error for the caller of the port as it is. */
export class S3Fault extends DomainError {
  readonly kind: FaultKind;
  readonly vendorCode: string;
  readonly status: number | null;
  /** Code and message as the store gave them. */
  readonly reason: string;
  /** The ETag of the object that a copy has created before it failed; see `CopyResult`. */
  createdEtag: string | null = null;

  constructor(parts: FaultParts, doing: string) {
    const kind = parts.kind ?? faultKind(parts.code, parts.status);
    const said = SENSITIVE.has(kind) ? "" : oneLine(parts.message);
    const reason = said === "" || said === parts.code ? parts.code : `${parts.code}: ${said}`;
    const store = parts.store === undefined ? "" : `Store ${JSON.stringify(parts.store)}: `;
    super(CODE_BY_KIND[kind], `${store}${TEXT_BY_KIND[kind]}, when ${doing} (${reason}).`, {
      cause: parts.cause,
      details: { vendorCode: parts.code, ...(parts.status === null ? {} : { status: parts.status }) },
    });
    this.kind = kind;
    this.vendorCode = parts.code;
    this.status = parts.status;
    this.reason = reason;
  }
}

/** For an answer of status 200 that is not what was asked for. */
export function badAnswer(doing: string, reason: string): S3Fault {
  return new S3Fault({ code: "BadAnswer", status: null, message: reason, kind: "unavailable" }, doing);
}

/** The failure of one object when it is copied or deleted. Throws faults of all other kinds, which concern every object. */
export function objectFailure(fault: S3Fault, denied: ExceptionCode, refused: ExceptionCode): ObjectFailure {
  switch (fault.kind) {
    case "denied":
      // The whole message, as it names the request whose right is missing.
      return { code: denied, message: fault.message };
    case "needs_restore":
      return { code: "needs_restore", message: fault.reason };
    case "refused":
    case "not_implemented":
      return { code: refused, message: fault.reason };
    default:
      throw fault;
  }
}

function oneLine(message: string): string {
  return message
    .replace(/[\p{Cc}\s]+/gu, " ")
    .trim()
    .slice(0, 300);
}

/** Whether `error` is a fault of one of `kinds`. */
export function hasKind(error: unknown, ...kinds: readonly FaultKind[]): boolean {
  return error instanceof S3Fault && kinds.includes(error.kind);
}

/** Kinds of faults by which a store leaves unanswered what it need not answer: not supported, not permitted, not set. */
export const NOT_TOLD: readonly FaultKind[] = ["denied", "gone", "not_implemented", "refused"];
