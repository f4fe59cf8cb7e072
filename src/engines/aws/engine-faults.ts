/** Translates the errors of AWS clients into `engine_unavailable` and `engine_refused`, without what may hold a secret. */

import { DomainError } from "../../domain/errors.ts";

/** The request may succeed later as it is. */
const PASSING: ReadonlySet<string> = new Set([
  "TooManyRequestsException",
  "InternalServiceException",
  "InternalError",
  "SlowDown",
  "ServiceUnavailable",
  "RequestTimeout",
  "RequestTimeoutException",
  "RequestTimeTooSkewed",
  "OperationAborted",
  "Throttling",
  "ThrottlingException",
  "TimeoutError",
  "AbortError",
]);

/** Others may be accepted: temporary credentials are renewed where they come from. */
const STALE_CREDENTIALS: ReadonlySet<string> = new Set([
  "ExpiredToken",
  "ExpiredTokenException",
  "TokenRefreshRequired",
  "InvalidToken",
  "InvalidAccessKeyId",
  "InvalidClientTokenId",
  "CredentialsProviderError",
  "TokenProviderError",
]);

/** What AWS says about signatures and keys quotes parts of them. */
const SENSITIVE: ReadonlySet<string> = new Set([
  ...STALE_CREDENTIALS,
  "SignatureDoesNotMatch",
  "AuthFailure",
  "UnrecognizedClientException",
  "IncompleteSignature",
]);

/** Codes of the socket, the resolver and Node's HTTP parser, but not of certificates. */
const TRANSPORT = /^(E[A-Z_]{3,}|HPE_\w+|ERR_(STREAM|HTTP|SOCKET)\w*)$/;

/** The error of a client that `doing` something was the cause of, as the engine throws it; a `DomainError` stays as it is. */
export function engineFault(error: unknown, doing: string): DomainError {
  if (error instanceof DomainError) return error;
  const { name, message, status, systemCode } = fieldsOf(error);
  const code = systemCode ?? name;
  const said = SENSITIVE.has(name) || message === "" || message === code ? code : `${code}: ${message}`;
  const cause = new Error(said);
  cause.name = name;
  const options = { cause, details: { vendorCode: code, ...(status !== null && { status }) } };
  if (STALE_CREDENTIALS.has(name)) {
    const text = `AWS does not accept the credentials (any more), when ${doing} (${said}); renew them.`;
    return new DomainError("engine_unavailable", text, options);
  }
  return isPassing(name, status, systemCode)
    ? new DomainError("engine_unavailable", `AWS gave no usable answer, when ${doing} (${said}).`, options)
    : new DomainError("engine_refused", `AWS refused, when ${doing} (${said}).`, options);
}

/** The code that AWS gave with `error`, null where it did not come from AWS. */
export function vendorCode(error: unknown): string | null {
  const code = error instanceof DomainError ? error.details.vendorCode : null;
  return typeof code === "string" ? code : null;
}

function isPassing(name: string, status: number | null, systemCode: string | null): boolean {
  if (PASSING.has(name)) return true;
  // An answer of 2xx that cannot be read was cut short or is not from AWS.
  if (status !== null) return status >= 500 || status === 429 || status < 300;
  return systemCode !== null && TRANSPORT.test(systemCode);
}

function fieldsOf(error: unknown) {
  if (!(error instanceof Error)) return { name: "Error", message: "", status: null, systemCode: null };
  const metadata = "$metadata" in error ? (error.$metadata as { readonly httpStatusCode?: number }) : null;
  const systemCode = "code" in error && typeof error.code === "string" ? error.code : null;
  const message = error.message.replaceAll(/[\p{Cc}\s]+/gu, " ").trim();
  return {
    name: error.name,
    message: message.slice(0, 300),
    status: metadata?.httpStatusCode ?? null,
    systemCode: "$fault" in error ? null : systemCode,
  };
}
