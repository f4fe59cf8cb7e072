/** Turns answers into HTTP responses: request ids, dates, lengths, and large bodies in pieces. */

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { StoreClock } from "../buckets/store-clock.ts";
import type { Answer, BodyRange } from "./answer.ts";
import type { S3ErrorDetails } from "./s3-error.ts";
import { errorDocument } from "./xml.ts";

const PIECE_BYTES = 1 << 20;

/** Sends answers for one server. */
export class AnswerSender {
  readonly #clock: StoreClock;
  readonly #hostId = randomBytes(48).toString("base64");
  readonly #idPrefix = randomBytes(4).toString("hex").toUpperCase();
  #sent = 0;

  constructor(clock: StoreClock) {
    this.#clock = clock;
  }

  /** Sends an answer. */
  send(response: ServerResponse, answer: Answer): void {
    const head = this.#head(this.#nextId());
    for (const item of answer.headers) head.push(item);
    const { body } = answer;
    if (body === undefined) {
      pushLength(head, answer);
      response.writeHead(answer.status, head).end();
    } else if (typeof body === "string") {
      head.push("Content-Length", String(Buffer.byteLength(body)));
      response.writeHead(answer.status, head).end(body);
    } else {
      head.push("Content-Length", String(body.end - body.start));
      response.writeHead(answer.status, head);
      sendRange(response, body);
    }
  }

  /** Sends an error document with `status` (which a fault may set to 200); HEAD gets the headers only. */
  sendError(response: ServerResponse, error: S3ErrorDetails, status = error.status): void {
    const id = this.#nextId();
    const head = this.#head(id);
    head.push("Content-Type", "application/xml", ...(error.headers ?? []));
    const document = errorDocument(error.code, error.message, error.fields ?? {}, id, this.#hostId);
    const isHead = response.req.method === "HEAD";
    if (!isHead) head.push("Content-Length", String(Buffer.byteLength(document)));
    response.writeHead(status, head).end(isHead ? undefined : document);
  }

  #nextId(): string {
    this.#sent++;
    return this.#idPrefix + this.#sent.toString(16).toUpperCase().padStart(8, "0");
  }

  #head(id: string): string[] {
    return [
      "x-amz-id-2",
      this.#hostId,
      "x-amz-request-id",
      id,
      "Date",
      this.#clock.httpDate(this.#clock.nowMs()),
      "Server",
      "AmazonS3",
    ];
  }
}

function pushLength(head: string[], answer: Answer): void {
  if (answer.headLength !== undefined) head.push("Content-Length", String(answer.headLength));
  else if (answer.status !== 204 && answer.status !== 304) head.push("Content-Length", "0");
}

function sendRange(response: ServerResponse, range: BodyRange): void {
  if (range.end - range.start <= PIECE_BYTES) {
    response.end(range.source.read(range.start, range.end));
    return;
  }
  sendPieces(response, range).catch(() => response.destroy());
}

async function sendPieces(response: ServerResponse, range: BodyRange): Promise<void> {
  for (let at = range.start; at < range.end; at += PIECE_BYTES) {
    const piece = range.source.read(at, Math.min(at + PIECE_BYTES, range.end));
    // A client that goes away ends the wait with an error or a close.
    if (!response.write(piece)) await Promise.race([once(response, "drain"), once(response, "close")]);
    if (response.destroyed) return;
  }
  response.end();
}
