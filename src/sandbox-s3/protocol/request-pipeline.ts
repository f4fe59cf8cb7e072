/** The way of a request from its arrival to its answer: signature, body, budget, faults, operation. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { StoreState } from "../buckets/store-state.ts";
import type { Faults, FinalEffect } from "../faults/faults.ts";
import type { RequestCounters } from "../faults/request-counters.ts";
import { bytesToCopy, parseCopySource } from "../objects/copy-source.ts";
import { checkKey } from "../objects/object-key.ts";
import { type Answer, emptyAnswer } from "./answer.ts";
import type { AnswerSender } from "./answer-sender.ts";
import { NO_DELETION, readDeletionList } from "./deletion-list.ts";
import { OPERATIONS } from "./operations.ts";
import { checkSignedPayload } from "./payload-digests.ts";
import { hasBody, NO_BODY, readBody } from "./request-body.ts";
import { type RoutedRequest, routeRequest } from "./request-router.ts";
import { errorDetails, S3Error, type S3ErrorDetails } from "./s3-error.ts";
import { header, type S3Request } from "./s3-request.ts";
import type { SigV4Check } from "./sigv4-check.ts";

/** What a pipeline works with. */
export interface PipelineParts {
  readonly state: StoreState;
  readonly signatures: SigV4Check;
  readonly faults: Faults;
  readonly counters: RequestCounters;
  readonly sender: AnswerSender;
}

/** Node's timers fire this much late on average, and loopback adds a little: without it 20 ms would be 21.5. */
const TIMER_LATENESS_MS = 1;

type Outcome = Answer | { readonly error: S3ErrorDetails };

/** Serves requests. Without faults, latency or a body, a request is answered before `serve` returns. */
export class RequestPipeline {
  readonly #parts: PipelineParts;

  constructor(parts: PipelineParts) {
    this.#parts = parts;
  }

  /** Serves one request; the handler of the server's `request` event. */
  serve(message: IncomingMessage, response: ServerResponse): void {
    try {
      this.#route(message, response);
    } catch (error) {
      abortConnection(response, error);
    }
  }

  #route(message: IncomingMessage, response: ServerResponse): void {
    const { counters, signatures } = this.#parts;
    const target = routeRequest(message.method ?? "GET", message.url ?? "/", message.headers);
    counters.noteReceived(target.operation, target.bucket);
    const refusal = signatures.check(target, message.headers);
    if (refusal !== undefined) {
      counters.noteError("rejected", target.bucket);
      this.#answerError(target, response, refusal);
    } else if (target.error !== undefined) {
      this.#answerError(target, response, target.error);
    } else if (hasBody(message)) {
      this.#serveWithBody(message, response, target).catch((error) => abortConnection(response, error));
    } else {
      this.#serveBody(message, response, target, NO_BODY);
    }
  }

  async #serveWithBody(
    message: IncomingMessage,
    response: ServerResponse,
    target: RoutedRequest,
  ): Promise<void> {
    const body = await readBody(message);
    if (body !== undefined) this.#serveBody(message, response, target, body);
  }

  #serveBody(message: IncomingMessage, response: ServerResponse, target: RoutedRequest, body: Buffer): void {
    const { headers } = message;
    const mismatch = checkSignedPayload(headers, body);
    if (mismatch !== undefined) {
      this.#answerError(target, response, mismatch);
      return;
    }
    const request = readRequest(target, headers, body);
    if (request instanceof S3Error) this.#answerError(target, response, request.details);
    else if (this.#parts.faults.areNone) this.#answer(request, response, this.#perform(request));
    else this.#serveUnderFaults(request, response).catch((error) => abortConnection(response, error));
  }

  async #serveUnderFaults(request: S3Request, response: ServerResponse): Promise<void> {
    const { faults } = this.#parts;
    const isAdmitted = faults.admitWrite(request);
    const latencyMs = faults.drawLatencyMs();
    if (!isAdmitted) {
      await pause(latencyMs);
      this.#answerError(request.target, response, errorDetails("SlowDown"));
      return;
    }
    await faults.waitForHolds(request, "before");
    const decision = faults.decide(request);
    const copyMs = faults.copyMs(bytesToCopy(this.#parts.state, request));
    await pause(latencyMs + decision.delayMs + copyMs);
    if (decision.effect !== undefined) {
      await this.#inject(decision.effect, request, response);
      return;
    }
    const outcome = this.#perform({ ...request, keyErrors: decision.keyErrors });
    await faults.waitForHolds(request, "after");
    this.#answer(request, response, outcome);
  }

  async #inject(effect: FinalEffect, request: S3Request, response: ServerResponse): Promise<void> {
    const { faults, counters, sender } = this.#parts;
    const isApplied = effect.type === "reset-after" || ("applied" in effect && effect.applied === true);
    if (isApplied) {
      this.#perform(request);
      await faults.waitForHolds(request, "after");
    }
    switch (effect.type) {
      case "reset-before":
      case "reset-after":
        response.socket?.resetAndDestroy();
        return;
      case "hang":
        return;
      case "empty-200":
        sender.send(response, emptyAnswer(200));
        return;
      case "error-in-200": {
        const usual = errorDetails("InternalError");
        const code = effect.code ?? usual.code;
        counters.noteError(code, request.target.bucket);
        sender.sendError(response, { status: 200, code, message: effect.message ?? usual.message });
        return;
      }
      default:
        this.#answerError(request.target, response, statusError(effect));
    }
  }

  #perform(request: S3Request): Outcome {
    try {
      return OPERATIONS[request.target.operation](this.#parts.state, request);
    } catch (error) {
      if (error instanceof S3Error) return { error: error.details };
      process.emitWarning(error instanceof Error ? error : String(error));
      return { error: errorDetails("InternalError") };
    }
  }

  #answer(request: S3Request, response: ServerResponse, outcome: Outcome): void {
    if ("error" in outcome) this.#answerError(request.target, response, outcome.error);
    else this.#parts.sender.send(response, outcome);
  }

  #answerError(
    target: RoutedRequest | S3Request["target"],
    response: ServerResponse,
    error: S3ErrorDetails,
  ): void {
    this.#parts.counters.noteError(error.code, target.bucket);
    this.#parts.sender.sendError(response, error);
  }
}

async function pause(delayMs: number): Promise<void> {
  if (delayMs > 0) await sleep(Math.max(1, delayMs - TIMER_LATENESS_MS));
}

/** The request, or what S3 says of a key, copy source or list of keys that cannot be read. */
function readRequest(
  target: RoutedRequest,
  headers: IncomingMessage["headers"],
  body: Buffer,
): S3Request | S3Error {
  try {
    checkKey(target.key);
    const source = header({ headers }, "x-amz-copy-source");
    return {
      ...{ target, headers, body, keyErrors: undefined },
      deletion: target.operation === "DeleteObjects" ? readDeletionList(body) : NO_DELETION,
      copySource: source === undefined ? undefined : parseCopySource(source),
    };
  } catch (error) {
    if (error instanceof S3Error) return error;
    throw error;
  }
}

type StatusEffect = Extract<
  FinalEffect,
  { type: "slow-down" | "internal-error" | "access-denied" | "error" }
>;

function statusError(effect: StatusEffect): S3ErrorDetails {
  switch (effect.type) {
    case "slow-down":
      return errorDetails("SlowDown");
    case "internal-error":
      return errorDetails("InternalError");
    case "access-denied":
      return errorDetails("AccessDenied");
    case "error":
      return { status: effect.status, code: effect.code, message: effect.message ?? effect.code };
  }
}

/** A defect of the sandbox itself: nothing better can be told the client than a broken connection. */
function abortConnection(response: ServerResponse, error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error));
  response.destroy();
}
