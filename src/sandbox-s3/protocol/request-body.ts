/** This file reads request bodies, including the `aws-chunked` form that SDKs use for streams. */

import type { IncomingMessage } from "node:http";
import { errorDetails, S3Error, type S3ErrorDetails } from "./s3-error.ts";

/** The body of a request without one. */
export const NO_BODY = Buffer.alloc(0);

/** Whether a body follows the headers. */
export function hasBody(message: IncomingMessage): boolean {
  const { headers } = message;
  const length = headers["content-length"];
  return (length !== undefined && length !== "0") || headers["transfer-encoding"] !== undefined;
}

/** Collects the body; resolves with `undefined` if the client breaks off. */
export function readBody(message: IncomingMessage): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    message.on("data", (piece: Buffer) => pieces.push(piece));
    message.on("end", () => resolve(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces)));
    message.on("error", () => resolve(undefined));
    message.on("close", () => resolve(undefined));
  });
}

/**
 * Unwraps an `aws-chunked` body and files its trailers among the headers; other bodies pass unchanged. Signatures of
 * single chunks are not checked.
 */
export function unwrapBody(message: IncomingMessage, body: Buffer): Buffer | S3ErrorDetails {
  const payload = message.headers["x-amz-content-sha256"];
  if (typeof payload !== "string" || !payload.startsWith("STREAMING-")) return body;
  try {
    const { data, trailers } = decodeChunks(body);
    if (message.headers["x-amz-decoded-content-length"] !== String(data.length)) throw incomplete();
    for (const [name, value] of trailers) message.headers[name] ??= value;
    return data;
  } catch (error) {
    if (error instanceof S3Error) return error.details;
    throw error;
  }
}

function decodeChunks(body: Buffer): { data: Buffer; trailers: [string, string][] } {
  const pieces: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = body.indexOf("\r\n", at);
    if (lineEnd < 0) throw incomplete();
    const size = Number.parseInt(body.toString("latin1", at, lineEnd), 16);
    at = lineEnd + 2;
    if (Number.isNaN(size) || at + size > body.length) throw incomplete();
    if (size === 0)
      return { data: Buffer.concat(pieces), trailers: decodeTrailers(body.toString("latin1", at)) };
    pieces.push(body.subarray(at, at + size));
    at += size + 2;
  }
}

function decodeTrailers(text: string): [string, string][] {
  return text
    .split(/\r?\n/)
    .filter((line) => line.includes(":"))
    .map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
    });
}

function incomplete(): S3Error {
  return new S3Error(errorDetails("IncompleteBody"));
}
