/** Kept connections to one origin: whoever sends takes the one that was used last. */

import { Client, type Dispatcher, errors } from "undici";

/**
 * A handler that tells when its connection may be used by others: at its end, whichever it is, once; after an error not
 * before undici's own call is over.
 */
export interface StackedHandler extends Dispatcher.DispatchHandler {
  onFree: () => void;
  /** Nobody waits for its answer any more: it need not begin. */
  readonly isOver: boolean;
  /** Without a controller: it was never begun. */
  onResponseError(controller: Dispatcher.DispatchController | undefined, error: Error): void;
}

export interface ConnectionLimits {
  /** Connections at once, ≥ 1. */
  readonly maxSockets: number;
  readonly connectionTimeoutMs: number;
  readonly silenceTimeoutMs: number;
}

interface Waiting {
  readonly options: Dispatcher.DispatchOptions;
  readonly handler: StackedHandler;
}

/**
 * As undici's `Pool`, but it looks through nothing to find a connection, opens none while one is free, and lets those it
 * does not need go idle together. The `Pool` had 512 open for 256 copies at once and asked one after the other for each
 * copy whether it was free.
 */
export class ConnectionStack {
  readonly #origin: string;
  readonly #limits: ConnectionLimits;
  readonly #all = new Set<Client>();
  readonly #free: Client[] = [];
  readonly #waiting: Waiting[] = [];

  constructor(origin: string, limits: ConnectionLimits) {
    this.#origin = origin;
    this.#limits = limits;
  }

  /** Sends at once, or as soon as one of `maxSockets` connections is free, in order of asking. */
  dispatch(options: Dispatcher.DispatchOptions, handler: StackedHandler): void {
    const client = this.#free.pop() ?? this.#open();
    if (client === null) this.#waiting.push({ options, handler });
    else this.#dispatchOn(client, options, handler);
  }

  /** Cuts what is under way, and fails what waits. */
  async destroy(): Promise<void> {
    for (const { handler } of this.#waiting.splice(0)) {
      handler.onResponseError(undefined, new errors.ClientDestroyedError());
    }
    await Promise.all([...this.#all].map((client) => client.destroy()));
  }

  #dispatchOn(client: Client, options: Dispatcher.DispatchOptions, handler: StackedHandler): void {
    handler.onFree = () => this.#release(client);
    client.dispatch(options, handler);
  }

  #release(client: Client): void {
    let next = this.#waiting.shift();
    // To begin them and stop would cost the connection each time.
    while (next?.handler.isOver) next = this.#waiting.shift();
    if (next === undefined) this.#free.push(client);
    else this.#dispatchOn(client, next.options, next.handler);
  }

  #open(): Client | null {
    return this.#all.size < this.#limits.maxSockets ? this.#newClient() : null;
  }

  #newClient(): Client {
    const { connectionTimeoutMs, silenceTimeoutMs } = this.#limits;
    const client = new Client(this.#origin, {
      // Never two requests on one connection: a copy may take minutes, and nothing may wait behind it or share its outcome.
      // undici sends a PUT only when nothing is under way, and only a free connection is ever given one. But with 1 it
      // lets a whole turn of the event loop pass between an answer and the next request, though that is there already.
      pipelining: 2,
      connectTimeout: connectionTimeoutMs,
      headersTimeout: silenceTimeoutMs,
      bodyTimeout: silenceTimeoutMs,
    });
    this.#all.add(client);
    return client;
  }
}
