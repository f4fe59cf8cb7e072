/** Kept connections to one origin, the one used last taken first, so that those not needed go idle and close. */

import { Client, type Dispatcher, errors } from "undici";

export interface ConnectionLimits {
  /** Connections open at once, ≥ 1. */
  readonly maxSockets: number;
  readonly connectionTimeoutMs: number;
  /** A connection on which nothing moves for so long is dead, even in the middle of a copy. */
  readonly silenceTimeoutMs: number;
}

/** A handler that calls `onFree` once its connection may be used again: once, and after an error not synchronously. */
export interface StackedHandler extends Dispatcher.DispatchHandler {
  /** Set by the stack. */
  onFree: () => void;
  /** Its time ran out while it waited for a connection: it is not to be sent. */
  readonly isAbandoned: boolean;
  /** Without a controller: it was never sent. */
  onResponseError(controller: Dispatcher.DispatchController | undefined, error: Error): void;
}

interface QueuedRequest {
  readonly options: Dispatcher.DispatchOptions;
  readonly handler: StackedHandler;
}

/**
 * In place of undici's `Pool`, which opens all its connections for half as many requests at once and searches through
 * them for each request (docs/measured/hot-copy-path.md).
 */
export class ConnectionStack {
  readonly #origin: string;
  readonly #limits: ConnectionLimits;
  readonly #all = new Set<Client>();
  readonly #free: Client[] = [];
  readonly #queue: QueuedRequest[] = [];

  constructor(origin: string, limits: ConnectionLimits) {
    this.#origin = origin;
    this.#limits = limits;
  }

  /** Sends at once, or as soon as one of `maxSockets` connections is free, first come, first served. */
  dispatch(options: Dispatcher.DispatchOptions, handler: StackedHandler): void {
    const client = this.#free.pop() ?? this.#open();
    if (client === null) this.#queue.push({ options, handler });
    else this.#dispatchOn(client, options, handler);
  }

  /** Aborts what is under way and fails what is queued. */
  async destroy(): Promise<void> {
    for (const { handler } of this.#queue.splice(0)) {
      handler.onResponseError(undefined, new errors.ClientDestroyedError());
    }
    await Promise.all([...this.#all].map((client) => client.destroy()));
  }

  #dispatchOn(client: Client, options: Dispatcher.DispatchOptions, handler: StackedHandler): void {
    handler.onFree = () => this.#release(client);
    client.dispatch(options, handler);
  }

  #release(client: Client): void {
    let next = this.#queue.shift();
    // To dispatch an abandoned request and abort it would cost the connection each time.
    while (next?.handler.isAbandoned) next = this.#queue.shift();
    if (next === undefined) this.#free.push(client);
    else this.#dispatchOn(client, next.options, next.handler);
  }

  #open(): Client | null {
    const { maxSockets, connectionTimeoutMs, silenceTimeoutMs } = this.#limits;
    if (this.#all.size >= maxSockets) return null;
    const client = new Client(this.#origin, {
      // Only a free connection is ever given a request, and undici sends a PUT only when nothing else is under way on
      // its connection, so there is no pipelining. But with 1 undici lets a turn of the event loop pass between an
      // answer and the next request, though that has been dispatched.
      pipelining: 2,
      connectTimeout: connectionTimeoutMs,
      headersTimeout: silenceTimeoutMs,
      bodyTimeout: silenceTimeoutMs,
    });
    this.#all.add(client);
    return client;
  }
}
