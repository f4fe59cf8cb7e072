/** Checks what a request says about its body: Content-MD5, checksum headers, the signed SHA-256. */

import { hash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { BytesBody, type ObjectBody } from "../objects/object-body.ts";
import { CHECKSUM_ALGORITHMS, type ChecksumAlgorithm, parseChecksumAlgorithm } from "./checksums.ts";
import { errorDetails, type S3ErrorDetails, s3Error } from "./s3-error.ts";

const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const SHA256_HEX = /^[0-9a-f]{64}$/i;

/** Compares `x-amz-content-sha256` with the body where it is a hash. */
export function checkSignedPayload(headers: IncomingHttpHeaders, body: Buffer): S3ErrorDetails | undefined {
  const signed = headers["x-amz-content-sha256"];
  if (typeof signed !== "string") return undefined;
  if (!SHA256_HEX.test(signed)) {
    if (signed === "UNSIGNED-PAYLOAD") return undefined;
    return errorDetails(
      "InvalidArgument",
      "x-amz-content-sha256 must be UNSIGNED-PAYLOAD or a valid sha256 value; streams are not implemented.",
    );
  }
  const actual = body.length === 0 ? EMPTY_SHA256 : hash("sha256", body, "hex");
  return actual === signed.toLowerCase() ? undefined : errorDetails("XAmzContentSHA256Mismatch");
}

/** Verifies Content-MD5 and `x-amz-checksum-…`; returns the algorithm the sender chose, if any. */
export function verifyDigests(headers: IncomingHttpHeaders, body: ObjectBody): ChecksumAlgorithm | undefined {
  verifyMd5(headers, body);
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const expected = headers[`x-amz-checksum-${algorithm}`];
    if (expected === undefined) continue;
    if (body.checksum(algorithm) !== expected) {
      const message = `The ${algorithm.toUpperCase()} you specified did not match the calculated checksum.`;
      throw s3Error("BadDigest", message);
    }
    return algorithm;
  }
  return requestedAlgorithm(headers);
}

/** The algorithm named by `x-amz-checksum-algorithm` or `x-amz-sdk-checksum-algorithm`. */
export function requestedAlgorithm(headers: IncomingHttpHeaders): ChecksumAlgorithm | undefined {
  const name = headers["x-amz-checksum-algorithm"] ?? headers["x-amz-sdk-checksum-algorithm"];
  if (name === undefined) return undefined;
  const algorithm = parseChecksumAlgorithm(String(name));
  if (algorithm === undefined) {
    throw s3Error(
      "InvalidRequest",
      "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]",
    );
  }
  return algorithm;
}

/** DeleteObjects must prove its body by Content-MD5 or a checksum. */
export function requireDigest(headers: IncomingHttpHeaders, body: Buffer): void {
  const hasChecksum = CHECKSUM_ALGORITHMS.some(
    (algorithm) => headers[`x-amz-checksum-${algorithm}`] !== undefined,
  );
  if (!hasChecksum && headers["content-md5"] === undefined) {
    throw s3Error(
      "InvalidRequest",
      "Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
    );
  }
  verifyDigests(headers, new BytesBody(body));
}

function verifyMd5(headers: IncomingHttpHeaders, body: ObjectBody): void {
  const expected = headers["content-md5"];
  if (typeof expected !== "string") return;
  const digest = Buffer.from(expected, "base64");
  if (digest.length !== 16) throw s3Error("InvalidDigest");
  if (digest.toString("hex") !== body.md5()) throw s3Error("BadDigest");
}
