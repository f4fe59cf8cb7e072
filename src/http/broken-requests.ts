/** Answers to requests that Node's HTTP parser rejects, written to the socket directly. */

import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";
import { type ProblemAnswer, problemOf, RequestRefusal, unreadable } from "./problem-details.ts";

/** Writes a problem response and ends the connection. */
export function refuseBrokenRequest(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || socket.destroyed) return;
  if (socket.writable) socket.write(answerTo(error));
  socket.destroy();
}

function answerTo(error: Error & { readonly code?: string }): string {
  const { body }: ProblemAnswer = problemOf(refusalOf(error), "", randomUUID());
  const json = JSON.stringify(body);
  return [
    `HTTP/1.1 ${body.status} ${body.title}`,
    "content-type: application/problem+json",
    `content-length: ${Buffer.byteLength(json)}`,
    "connection: close",
    "",
    json,
  ].join("\r\n");
}

function refusalOf(error: Error & { readonly code?: string }): RequestRefusal {
  switch (error.code) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new RequestRefusal("request_timeout", "The request did not arrive in time.", { cause: error });
    case "HPE_HEADER_OVERFLOW":
      return new RequestRefusal("header_fields_too_large", "Send fewer or shorter headers.", {
        cause: error,
      });
    default:
      return unreadable("This is not an HTTP request.", [], error);
  }
}
