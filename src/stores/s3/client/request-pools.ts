/** Sends requests without body over kept connections and reads each answer to its end, within a time. */

import type { Dispatcher } from "undici";
import type { CopyAnswer } from "../copy/copy-answer.ts";
import { notSent } from "../copy/last-look.ts";
import { ConnectionStack, type StackedHandler } from "./connection-stack.ts";

/** See `ClientLimits`. */
export interface PoolLimits {
  readonly maxSockets: number;
  readonly connectionTimeoutMs: number;
  readonly silenceTimeoutMs: number;
}

/** What to send. */
export interface BareRequest {
  readonly method: "PUT";
  readonly origin: string;
  /** Sent byte for byte. */
  readonly path: string;
  /** Names and values by turns. */
  readonly headers: string[];
}

/** What one request and its answer keep to, and what is made of the answer. */
export interface ExchangeTerms<Result> {
  /** From the wait for a connection to the end of the answer. */
  readonly limitMs: number;
  /** Asked at the moment the request is written. */
  readonly mayBegin: () => boolean;
  /** Called as soon as the answer has been read to its end, with its connection free: what it sends goes out at once. */
  readonly onAnswer: (answer: CopyAnswer) => Result | Promise<Result>;
}

/** Connections to each origin; like the SDK's agents they open again when used after {@link RequestPools.close}. */
export class RequestPools {
  readonly #stacks = new Map<string, ConnectionStack>();
  readonly #limits: PoolLimits;

  constructor(limits: PoolLimits) {
    this.#limits = limits;
  }

  /**
   * Gives what the terms make of the answer. Never sends twice. Throws as Node's HTTP client does, and a `TimeoutError`
   * when the terms forbid to go on.
   */
  send<Result>(request: BareRequest, terms: ExchangeTerms<Result>): Promise<Result> {
    const stack = this.#stackOf(request.origin);
    return new Promise((resolve, reject) => stack.dispatch(request, new Exchange(resolve, reject, terms)));
  }

  /** Cuts what is still under way. */
  async close(): Promise<void> {
    const stacks = [...this.#stacks.values()];
    this.#stacks.clear();
    await Promise.all(stacks.map((stack) => stack.destroy()));
  }

  #stackOf(origin: string): ConnectionStack {
    const known = this.#stacks.get(origin);
    if (known !== undefined) return known;
    const stack = new ConnectionStack(origin, this.#limits);
    this.#stacks.set(origin, stack);
    return stack;
  }
}

/** One request and its answer. */
class Exchange<Result> implements StackedHandler {
  onFree: () => void = () => {};
  readonly #resolve: (result: Result | Promise<Result>) => void;
  readonly #reject: (error: Error) => void;
  readonly #terms: ExchangeTerms<Result>;
  readonly #timer: NodeJS.Timeout;
  readonly #chunks: Buffer[] = [];
  #controller: Dispatcher.DispatchController | null = null;
  #timeout: Error | null = null;
  #status = 0;
  #headers: Record<string, string> = {};

  constructor(
    resolve: (result: Result | Promise<Result>) => void,
    reject: (error: Error) => void,
    terms: ExchangeTerms<Result>,
  ) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#terms = terms;
    // From the wait for a connection to the end of the answer; undici's own times begin later and begin anew.
    this.#timer = setTimeout(() => this.#giveUp(), terms.limitMs);
  }

  get isOver(): boolean {
    return this.#timeout !== null;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // Nobody waits any more, or the job is another's by now: it must not begin.
    if (this.#timeout !== null) controller.abort(this.#timeout);
    else if (!this.#terms.mayBegin()) controller.abort(notSent());
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    this.#status = status;
    this.#headers = headers as Record<string, string>;
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    clearTimeout(this.#timer);
    const [first] = this.#chunks;
    const body = first !== undefined && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks);
    const answer = { status: this.#status, headers: this.#headers, body };
    this.onFree();
    this.#resolve(this.#terms.onAnswer(answer));
  }

  onResponseError(_: Dispatcher.DispatchController | undefined, error: Error): void {
    clearTimeout(this.#timer);
    // Not in this turn: undici is still clearing the connection, and a request it finds there then ends the process.
    queueMicrotask(this.onFree);
    this.#reject(asNodeError(error));
  }

  #giveUp(): void {
    this.#timeout = timeoutError(`no answer within ${this.#terms.limitMs} ms`);
    this.#reject(this.#timeout);
    this.#controller?.abort(this.#timeout);
  }
}

const OUT_OF_TIME: ReadonlySet<string> = new Set([
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
]);

/** What Node calls a reset, whichever way the connection ended before the answer did. */
const CUT_SHORT: ReadonlySet<string> = new Set(["UND_ERR_SOCKET", "UND_ERR_RES_CONTENT_LENGTH_MISMATCH"]);

/** undici's errors by the names that Node's HTTP client, and so the SDK, has for them. */
function asNodeError(error: Error): Error {
  // It looks for the parser's code in the wrong table and so has none.
  if (error.name === "HTTPParserError") return withCode(error, "HPE_INVALID");
  const code = "code" in error ? error.code : undefined;
  if (typeof code !== "string") return error;
  if (OUT_OF_TIME.has(code)) return timeoutError(error.message);
  if (CUT_SHORT.has(code)) return withCode(error, "ECONNRESET");
  return error;
}

function withCode({ message }: Error, code: string): Error {
  return Object.assign(new Error(message), { code });
}

function timeoutError(message: string): Error {
  const error = new Error(message);
  error.name = "TimeoutError";
  return error;
}
