/** Sorts what a store answers into a few kinds, by code and status and never by message text. */

import type { ExceptionCode } from "../../domain/batch.ts";
import { DomainError, type ErrorCode } from "../../domain/errors.ts";
import type { ObjectFailure } from "../../ports/object-store.ts";

/** What a refusal means to Tranship. */
export type FaultKind =
  | "throttled"
  /** Worth repeating as it is. */
  | "unavailable"
  | "bucket_missing"
  /** The object (or upload) is not there. */
  | "gone"
  | "precondition_failed"
  /** Not allowed to do this; perhaps allowed to do it to other objects. */
  | "denied"
  /** The credentials have expired, are not known (any more) or cannot be had; others may be accepted. */
  | "stale_credentials"
  /** The same while it may still pass by itself; see `CredentialWatch`. */
  | "credentials_awaited"
  /** The credentials do not fit, or the account may do nothing. */
  | "credentials"
  | "needs_restore"
  /** The store does not know this kind of request, or a header of it. */
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
      // Not a store's: see provider-failure.ts.
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

/** The kind of an answer. The code decides; where it says nothing the HTTP status does (null: there was no answer). */
export function faultKind(code: string, status: number | null): FaultKind {
  const known = KIND_BY_CODE.get(code);
  if (known !== undefined) return known;
  if (status === null) return "refused";
  if (status === 429 || status === 503) return "throttled";
  if (status === 501 || status === 405) return "not_implemented";
  // A 2xx that cannot be read was cut short or is not from the store.
  if (status >= 500 || (status >= 200 && status < 300)) return "unavailable";
  if (status === 401 || status === 403) return "denied";
  if (status === 404) return "gone";
  if (status === 412) return "precondition_failed";
  return status >= 300 && status < 400 ? "wrong_region" : "refused";
}

/** Whether `error` is a refusal that other credentials would not have met. */
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

/** What a fault is made of. */
export interface FaultParts {
  readonly code: string;
  readonly status: number | null;
  readonly message: string;
  readonly kind?: FaultKind;
  /** The store's configured name. */
  readonly store?: string;
  readonly cause?: unknown;
}

const SAYS_TOO_MUCH: ReadonlySet<FaultKind> = new Set([
  "credentials",
  "stale_credentials",
  "credentials_awaited",
]);

/** A store's refusal: an error for the caller as it is, or, by its `kind`, the outcome of one object. */
export class S3Fault extends DomainError {
  readonly kind: FaultKind;
  readonly vendorCode: string;
  readonly status: number | null;
  /** Code and reason as the store gave them. */
  readonly reason: string;
  /** The ETag of an object that a copy has made before it failed; see `CopyResult`. */
  standing: string | null = null;

  constructor(parts: FaultParts, doing: string) {
    const kind = parts.kind ?? faultKind(parts.code, parts.status);
    // What a store says about a signature may hold parts of it.
    const said = SAYS_TOO_MUCH.has(kind) ? "" : oneLine(parts.message);
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

/** A fault Tranship itself finds in an answer that looked like success. */
export function badAnswer(doing: string, reason: string): S3Fault {
  return new S3Fault({ code: "BadAnswer", status: null, message: reason, kind: "unavailable" }, doing);
}

/** The kinds that are about one object when copying or deleting it; anything else concerns every object. */
export function objectFailure(fault: S3Fault, denied: ExceptionCode, refused: ExceptionCode): ObjectFailure {
  switch (fault.kind) {
    case "denied":
      // The whole message: what was being done tells which right is missing.
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

const UNTOLD: ReadonlySet<FaultKind> = new Set(["denied", "gone", "not_implemented", "refused"]);

/** Whether `error` is the answer to a question that a store need not answer: not known, not allowed, or nothing to tell. */
export function isUntold(error: unknown): boolean {
  return error instanceof S3Fault && UNTOLD.has(error.kind);
}
