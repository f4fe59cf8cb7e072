/** Sends requests without body over kept connections and reads each answer to its end, within a time limit. */

import type { Dispatcher } from "undici";
import { type ConnectionLimits, ConnectionStack, type StackedHandler } from "./connection-stack.ts";
import { notSentError } from "./send-guard.ts";

/** An answer, read to its end. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** A signed request without body. */
export interface PooledRequest {
  readonly method: "PUT";
  readonly origin: string;
  /** Percent-encoded, sent byte for byte. */
  readonly path: string;
  /** Names and values, alternating. */
  readonly headers: string[];
}

export interface ExchangeOptions<Result> {
  /** Milliseconds from the wait for a connection to the end of the answer. */
  readonly limitMs: number;
  /** Called when the request is about to be written; false: it is not sent. */
  readonly mayBegin: () => boolean;
  /** Called as soon as the answer has been read and its connection is free: what it sends is written at once. */
  readonly onResponse: (response: HttpResponse) => Result | Promise<Result>;
}

/** Connections to each origin; like the SDK's agents they open again when used after {@link RequestPools.close}. */
export class RequestPools {
  readonly #stacks = new Map<string, ConnectionStack>();
  readonly #limits: ConnectionLimits;

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /**
   * Gives the result of `onResponse`. Never sends twice. Throws transport errors by the names of Node's HTTP client, and
   * a `TimeoutError` when the limit is over or `mayBegin` gives false.
   */
  send<Result>(request: PooledRequest, options: ExchangeOptions<Result>): Promise<Result> {
    const stack = this.#stackOf(request.origin);
    return new Promise((resolve, reject) => stack.dispatch(request, new Exchange(resolve, reject, options)));
  }

  /** Aborts what is still under way. */
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
  readonly #options: ExchangeOptions<Result>;
  readonly #timer: NodeJS.Timeout;
  readonly #chunks: Buffer[] = [];
  #controller: Dispatcher.DispatchController | null = null;
  #timeout: Error | null = null;
  #status = 0;
  #headers: Record<string, string> = {};

  constructor(
    resolve: (result: Result | Promise<Result>) => void,
    reject: (error: Error) => void,
    options: ExchangeOptions<Result>,
  ) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#options = options;
    // undici's own limits begin only with the connection, and anew with each piece of the answer.
    this.#timer = setTimeout(() => this.#giveUp(), options.limitMs);
  }

  get isAbandoned(): boolean {
    return this.#timeout !== null;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#timeout !== null) controller.abort(this.#timeout);
    else if (!this.#options.mayBegin()) controller.abort(notSentError());
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
    const response = { status: this.#status, headers: this.#headers, body };
    this.onFree();
    this.#resolve(this.#options.onResponse(response));
  }

  onResponseError(_: Dispatcher.DispatchController | undefined, error: Error): void {
    clearTimeout(this.#timer);
    // Not synchronously: undici is still clearing the connection, and a request dispatched now would crash the process.
    queueMicrotask(this.onFree);
    this.#reject(asNodeError(error));
  }

  #giveUp(): void {
    this.#timeout = timeoutError(`no answer within ${this.#options.limitMs} ms`);
    this.#reject(this.#timeout);
    this.#controller?.abort(this.#timeout);
  }
}

const OUT_OF_TIME: ReadonlySet<string> = new Set([
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
]);

/** A connection that ended before the answer did: a reset by Node's name. */
const CUT_SHORT: ReadonlySet<string> = new Set(["UND_ERR_SOCKET", "UND_ERR_RES_CONTENT_LENGTH_MISMATCH"]);

/** undici's errors by the names that Node's HTTP client, and so the SDK, has for them. */
function asNodeError(error: Error): Error {
  // undici gives its parser's errors no code.
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
  return Object.assign(new Error(message), { name: "TimeoutError" });
}
