/** Translates the SDK's errors into faults, without the parts of them that may hold a secret. */

import { S3Fault } from "../s3-errors.ts";
import { regionIn } from "./follow-regions.ts";

/** Codes of certificate errors, for which repeating is of no use. */
const BAD_CERTIFICATE = /CERT|SELF_SIGNED|LEAF_SIGNATURE/;

/** Codes of the socket, the resolver and Node's HTTP parser. */
const TRANSPORT = /^(E[A-Z_]{3,}|HPE_\w+|ERR_(STREAM|HTTP|SOCKET)\w*|UND_ERR_\w+)$/;

const TIMEOUTS: ReadonlySet<string> = new Set(["TimeoutError", "AbortError"]);

/** Translates an error that the SDK threw, or undici by the same names, while `doing` something. */
export function faultFromSdk(error: unknown, doing: string): S3Fault {
  const seen = fieldsOf(error);
  const { message, status, systemCode } = seen;
  const parts = { message, status, cause: scrubbed(error, seen.name, message) };
  const broken = !seen.isService && systemCode !== null && TRANSPORT.test(systemCode);
  if (broken) return new S3Fault({ ...parts, code: systemCode, kind: "unavailable" }, doing);
  if (status !== null) {
    // HEAD has no body to hold a code, and an unreadable body makes the SDK throw its parser's error.
    const code = seen.isService && !UNNAMED.has(seen.name) ? seen.name : `HTTP ${status}`;
    const said = seen.isService ? message : "unreadable answer";
    return new S3Fault({ ...parts, code, message: withRegion(said, regionIn(error)) }, doing);
  }
  if (systemCode !== null && BAD_CERTIFICATE.test(systemCode)) {
    return new S3Fault({ ...parts, code: systemCode, kind: "refused" }, doing);
  }
  if (TIMEOUTS.has(seen.name)) return new S3Fault({ ...parts, code: "Timeout", kind: "unavailable" }, doing);
  return new S3Fault({ ...parts, code: seen.name }, doing);
}

/** Where a redirect could not be followed, the region is what the operator has to configure. */
function withRegion(message: string, region: string | null): string {
  return region === null ? message : `the bucket is in ${region}. ${message}`;
}

/** The SDK's name of an error without a code. */
const UNNAMED: ReadonlySet<string> = new Set(["Unknown", "UnknownError"]);

interface ErrorFields {
  readonly name: string;
  readonly message: string;
  readonly status: number | null;
  readonly systemCode: string | null;
  /** Whether the code is the store's. */
  readonly isService: boolean;
}

function fieldsOf(error: unknown): ErrorFields {
  if (!(error instanceof Error)) {
    return { name: "Error", message: String(error), status: null, systemCode: null, isService: false };
  }
  const status = "$metadata" in error ? statusIn(error.$metadata) : null;
  const systemCode = "code" in error && typeof error.code === "string" ? error.code : null;
  return {
    name: error.name,
    message: UNNAMED.has(error.message) ? "" : error.message,
    status,
    systemCode,
    isService: "$fault" in error || UNMODELLED.has(error.name),
  };
}

/** The SDK's name of the error for an empty answer with status 200. */
const UNMODELLED: ReadonlySet<string> = new Set(["InternalError"]);

function statusIn(metadata: unknown): number | null {
  if (typeof metadata !== "object" || metadata === null || !("httpStatusCode" in metadata)) return null;
  return typeof metadata.httpStatusCode === "number" ? metadata.httpStatusCode : null;
}

/** An error without the answer that the SDK attaches, which for a wrong signature quotes the string to sign. */
function scrubbed(error: unknown, name: string, message: string): Error {
  const cause = new Error(name === "SignatureDoesNotMatch" ? name : message);
  cause.name = name;
  if (error instanceof Error && error.stack !== undefined && name !== "SignatureDoesNotMatch") {
    cause.stack = error.stack;
  }
  return cause;
}
