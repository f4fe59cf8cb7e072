/** Checks the AWS Signature Version 4 of every request, as S3 does. */

import { createHmac, hash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { AcceptedCredentials } from "./accepted-credentials.ts";
import { canonicalQuery, encodeStrictly } from "./query-string.ts";
import { errorDetails, type S3ErrorDetails } from "./s3-error.ts";
import type { RequestTarget } from "./s3-request.ts";

/** What the check compares with. */
export interface SigV4CheckOptions {
  readonly credentials: AcceptedCredentials;
  /** The store's own region. */
  readonly region: string;
  /** The region of a bucket; the store's own for one that does not exist. */
  regionOf(bucket: string): string;
  readonly nowMs: () => number;
}

interface Authorization {
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly signedHeaders: string;
  readonly signature: string;
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 +Credential=([^,]+)\/(\d{8})\/([^/,]+)\/s3\/aws4_request, *SignedHeaders=([^, ]+), *Signature=([0-9a-f]{64})$/;
const AMZ_DATE = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;
const MAX_SKEW_MS = 15 * 60 * 1000;
const PLAIN_PATH = /^[A-Za-z0-9._~/-]*$/;

/** Verifies requests; keeps the signing keys of the day. */
export class SigV4Check {
  readonly #options: SigV4CheckOptions;
  readonly #signingKeys = new Map<string, Buffer>();
  #day = "";
  #lastInstant = { text: "", ms: Number.NaN };

  constructor(options: SigV4CheckOptions) {
    this.#options = options;
  }

  /** What S3 would object to, or `undefined` if the request is rightly signed. */
  check(target: RequestTarget, headers: IncomingHttpHeaders): S3ErrorDetails | undefined {
    const authorization = parseAuthorization(headers.authorization);
    if (authorization === undefined) {
      if (headers.authorization === undefined) return errorDetails("AccessDenied");
      return errorDetails("AuthorizationHeaderMalformed");
    }
    const token = headers["x-amz-security-token"];
    const secret = this.#options.credentials.secretOf(
      authorization.accessKeyId,
      typeof token === "string" ? token : undefined,
    );
    if (typeof secret !== "string") return secret;
    return (
      this.#checkRegion(authorization.region, target.bucket) ??
      this.#checkTime(headers) ??
      this.#checkSignature({ ...authorization, secret }, target, headers)
    );
  }

  /** A bucket elsewhere is answered with a redirect, as by AWS's regional endpoints; HEAD shows it in a header alone. */
  #checkRegion(signed: string, bucket: string): S3ErrorDetails | undefined {
    const { region: own, regionOf } = this.#options;
    const region = regionOf(bucket);
    if (signed === region) return undefined;
    const extra = { fields: { Region: region }, headers: ["x-amz-bucket-region", region] };
    if (region !== own) return errorDetails("PermanentRedirect", undefined, extra);
    const message = `The authorization header is malformed; the region '${signed}' is wrong; expecting '${region}'`;
    return errorDetails("AuthorizationHeaderMalformed", message, extra);
  }

  #checkTime(headers: IncomingHttpHeaders): S3ErrorDetails | undefined {
    const sentMs = this.#instant(headers["x-amz-date"]);
    if (Number.isNaN(sentMs)) {
      return errorDetails("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header");
    }
    return Math.abs(this.#options.nowMs() - sentMs) > MAX_SKEW_MS
      ? errorDetails("RequestTimeTooSkewed")
      : undefined;
  }

  #checkSignature(
    authorization: Authorization & { readonly secret: string },
    target: RequestTarget,
    headers: IncomingHttpHeaders,
  ): S3ErrorDetails | undefined {
    const payloadHash = headers["x-amz-content-sha256"];
    if (typeof payloadHash !== "string") {
      return errorDetails("InvalidRequest", "Missing required header for this request: x-amz-content-sha256");
    }
    const unsigned = findUnsignedHeader(authorization.signedHeaders, headers);
    if (unsigned !== undefined) {
      const message = "There were headers present in the request which were not signed";
      return errorDetails("AccessDenied", message, { fields: { HeadersNotSigned: unsigned } });
    }
    const tail = `${canonicalHeaders(authorization.signedHeaders, headers)}\n${authorization.signedHeaders}\n${payloadHash}`;
    const sign = (path: string, query: string) =>
      this.#sign(
        authorization,
        headers["x-amz-date"] as string,
        `${target.method}\n${path}\n${query}\n${tail}`,
      );
    const canonical = canonicalPath(target.rawPath);
    if (sign(canonical, safeCanonicalQuery(target.rawQuery)) === authorization.signature) return undefined;
    // Some clients sign the path as they send it (a `%2F` in a key, for example), and S3 takes that too.
    if (sign(target.rawPath, target.rawQuery) === authorization.signature) return undefined;
    return errorDetails("SignatureDoesNotMatch");
  }

  #sign(
    { date, region, secret }: Authorization & { readonly secret: string },
    amzDate: string,
    canonicalRequest: string,
  ): string {
    // Node reads header bytes as Latin-1; hashing them as Latin-1 hashes what was on the wire.
    const digest = hash("sha256", Buffer.from(canonicalRequest, "latin1"), "hex");
    const text = `AWS4-HMAC-SHA256\n${amzDate}\n${date}/${region}/s3/aws4_request\n${digest}`;
    return createHmac("sha256", this.#keyOf(date, region, secret))
      .update(text)
      .digest("hex");
  }

  #keyOf(date: string, region: string, secret: string): Buffer {
    if (this.#day !== date) this.#signingKeys.clear();
    this.#day = date;
    const name = `${region} ${secret}`;
    const known = this.#signingKeys.get(name);
    if (known !== undefined) return known;
    const key = [date, region, "s3", "aws4_request"].reduce(
      (parent: string | Buffer, text) => createHmac("sha256", parent).update(text).digest(),
      `AWS4${secret}`,
    ) as Buffer;
    this.#signingKeys.set(name, key);
    return key;
  }

  #instant(amzDate: string | string[] | undefined): number {
    if (typeof amzDate !== "string") return Number.NaN;
    if (this.#lastInstant.text !== amzDate) {
      this.#lastInstant = { text: amzDate, ms: Date.parse(amzDate.replace(AMZ_DATE, "$1-$2-$3T$4:$5:$6Z")) };
    }
    return this.#lastInstant.ms;
  }
}

function parseAuthorization(text: string | undefined): Authorization | undefined {
  const match = text === undefined ? null : AUTHORIZATION.exec(text);
  if (match === null) return undefined;
  const [, accessKeyId = "", date = "", region = "", signedHeaders = "", signature = ""] = match;
  return { accessKeyId, date, region, signedHeaders, signature };
}

/** S3 insists that `host` and every `x-amz-…` header is signed. */
function findUnsignedHeader(signedHeaders: string, headers: IncomingHttpHeaders): string | undefined {
  const signed = `;${signedHeaders};`;
  if (!signed.includes(";host;")) return "host";
  for (const name in headers) {
    if (name.startsWith("x-amz-") && !signed.includes(`;${name};`)) return name;
  }
  return undefined;
}

function canonicalHeaders(signedHeaders: string, headers: IncomingHttpHeaders): string {
  let canonical = "";
  for (const name of signedHeaders.split(";")) {
    const value = headers[name];
    const text = Array.isArray(value) ? value.join(",") : (value ?? "");
    canonical += `${name}:${text.includes("  ") ? text.replace(/ +/g, " ") : text}\n`;
  }
  return canonical;
}

function canonicalPath(rawPath: string): string {
  if (PLAIN_PATH.test(rawPath)) return rawPath;
  try {
    return decodeURIComponent(rawPath).split("/").map(encodeStrictly).join("/");
  } catch {
    return rawPath;
  }
}

function safeCanonicalQuery(rawQuery: string): string {
  try {
    return canonicalQuery(rawQuery);
  } catch {
    return rawQuery;
  }
}
