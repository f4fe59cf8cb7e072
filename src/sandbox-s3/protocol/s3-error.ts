/** The catalogue of S3 errors that the sandbox store answers with. */

const CATALOGUE = {
  AccessDenied: [403, "Access Denied"],
  AuthorizationHeaderMalformed: [400, "The authorization header that you provided is not valid."],
  BadDigest: [
    400,
    "The Content-MD5 or checksum value that you specified did not match what the server received.",
  ],
  BucketAlreadyOwnedByYou: [
    409,
    "Your previous request to create the named bucket succeeded and you already own it.",
  ],
  EntityTooSmall: [400, "Your proposed upload is smaller than the minimum allowed object size."],
  ExpiredToken: [400, "The provided token has expired."],
  IllegalVersioningConfigurationException: [
    400,
    "The versioning configuration specified in the request is invalid.",
  ],
  InternalError: [500, "We encountered an internal error. Please try again."],
  InvalidAccessKeyId: [403, "The AWS Access Key Id you provided does not exist in our records."],
  InvalidArgument: [400, "Invalid Argument"],
  InvalidBucketName: [400, "The specified bucket is not valid."],
  InvalidDigest: [400, "The Content-MD5 you specified is not valid."],
  InvalidObjectState: [403, "The operation is not valid for the object's storage class"],
  InvalidPart: [
    400,
    "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
  ],
  InvalidPartNumber: [416, "The requested partnumber is not satisfiable"],
  InvalidPartOrder: [
    400,
    "The list of parts was not in ascending order. Parts must be ordered by part number.",
  ],
  InvalidRange: [416, "The requested range is not satisfiable"],
  InvalidRequest: [400, "Invalid Request"],
  InvalidStorageClass: [400, "The storage class you specified is not valid"],
  InvalidToken: [400, "The provided token is malformed or otherwise not valid."],
  InvalidTag: [400, "The tag provided was not a valid tag."],
  InvalidURI: [400, "Couldn't parse the specified URI."],
  KeyTooLongError: [400, "Your key is too long"],
  MalformedXML: [
    400,
    "The XML you provided was not well-formed or did not validate against our published schema",
  ],
  MetadataTooLarge: [400, "Your metadata headers exceed the maximum allowed metadata size"],
  MethodNotAllowed: [405, "The specified method is not allowed against this resource."],
  NoSuchBucket: [404, "The specified bucket does not exist"],
  NoSuchKey: [404, "The specified key does not exist."],
  NoSuchUpload: [
    404,
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
  ],
  NoSuchVersion: [404, "The specified version does not exist."],
  NotImplemented: [501, "A header or query you provided implies functionality that is not implemented."],
  ObjectNotInActiveTierError: [403, "The source object of the COPY action is not in the active tier."],
  PermanentRedirect: [
    301,
    "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
  ],
  PreconditionFailed: [412, "At least one of the pre-conditions you specified did not hold"],
  RequestTimeTooSkewed: [403, "The difference between the request time and the current time is too large."],
  SignatureDoesNotMatch: [
    403,
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
  ],
  SlowDown: [503, "Please reduce your request rate."],
  XAmzContentSHA256Mismatch: [
    400,
    "The provided 'x-amz-content-sha256' header does not match what was computed.",
  ],
} as const satisfies Record<string, readonly [number, string]>;

/** Error codes the store itself uses; fault rules may use any other. */
export type S3ErrorCode = keyof typeof CATALOGUE;

/** What an S3 error answer says. */
export interface S3ErrorDetails {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** Further elements of the error document, for example `Condition`. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Further response headers, names and values alternating. */
  readonly headers?: readonly string[];
}

/** An S3 error on its way to the client. */
export class S3Error extends Error {
  readonly details: S3ErrorDetails;

  constructor(details: S3ErrorDetails) {
    super(`${details.code}: ${details.message}`);
    this.name = "S3Error";
    this.details = details;
  }
}

/** The details of a catalogued error, with its usual status and message unless `message` is given. */
export function errorDetails(
  code: S3ErrorCode,
  message?: string,
  extra: Pick<S3ErrorDetails, "fields" | "headers"> = {},
): S3ErrorDetails {
  const [status, usualMessage] = CATALOGUE[code];
  return { status, code, message: message ?? usualMessage, ...extra };
}

/** A catalogued error to throw. */
export function s3Error(
  code: S3ErrorCode,
  message?: string,
  extra: Pick<S3ErrorDetails, "fields" | "headers"> = {},
): S3Error {
  return new S3Error(errorDetails(code, message, extra));
}

/** 412, naming the condition that failed as S3 does. */
export function preconditionFailed(condition: string): S3Error {
  return s3Error("PreconditionFailed", undefined, { fields: { Condition: condition } });
}
