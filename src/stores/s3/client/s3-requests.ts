/** Sends one job's requests: counts each, sends none after a stop, limits their time, translates their errors. */

import type { S3Client } from "@aws-sdk/client-s3";
import { DomainError } from "../../../domain/errors.ts";
import type { RequestCounts } from "../../../ports/object-store.ts";
import { isStale } from "../s3-errors.ts";
import { waitBounded } from "./bounded-wait.ts";
import { type Credentials, CredentialWatch } from "./credential-watch.ts";
import { faultFromSdk } from "./sdk-faults.ts";

/** Under which heading a request is counted. */
export type RequestKind = Exclude<keyof RequestCounts, "throttled">;

/** In milliseconds, from the wait for a connection to the end of the answer. */
export interface RequestTimeouts {
  readonly requestMs: number;
  /** The longest time of a server-side copy, which takes longer the larger the object is. */
  readonly copyMs: number;
}

/** What a request is, for counting and for messages. */
export interface RequestLabel {
  readonly kind: RequestKind;
  /** As in "when listing bucket-a". */
  readonly doing: string;
  /** Bytes that a copy copies; where not given it gets the longest time. */
  readonly bytes?: number;
}

/** 10 MB/s: AWS copies some 80 MB/s and more in one request, so a copy slower than this is taken to hang. */
const SLOWEST_COPY_BYTES_PER_MS = 10_000;

/** What goes to `client.send` beside the command. */
export interface SendOptions {
  readonly requestTimeout: number;
  readonly abortSignal: AbortSignal;
}

/** A job's way to the client that all jobs on a store share. */
export class S3Requests {
  readonly client: S3Client;
  /** Called when a request that writes is about to be sent; false: it must not be. */
  readonly mayWrite: () => boolean;
  readonly #counts: RequestCounts;
  readonly #timeouts: RequestTimeouts;
  readonly #credentials: CredentialWatch;

  constructor(
    client: S3Client,
    counts: RequestCounts,
    timeouts: RequestTimeouts,
    credentials = new CredentialWatch(client),
    mayWrite = () => true,
  ) {
    this.client = client;
    this.mayWrite = mayWrite;
    this.#counts = counts;
    this.#timeouts = timeouts;
    this.#credentials = credentials;
  }

  /**
   * Sends one request by the SDK, or throws `stopped` when `signal` was aborted before. Throws {@link S3Fault} when it
   * fails; one refused for its credentials is sent once more if there are others. The signal is not given to the SDK:
   * a request that has begun may take effect, so its answer is awaited.
   */
  async send<Output>(
    label: RequestLabel,
    signal: AbortSignal | undefined,
    call: (client: S3Client, options: SendOptions) => Promise<Output>,
  ): Promise<Output> {
    const used = await this.prepare(this.#credentials.current(), label, signal);
    try {
      return await this.#sendOnce(label, signal, call);
    } catch (error) {
      if (!(await this.hasOtherCredentials(error, used, label, signal))) throw error;
      return this.#sendOnce(label, signal, call);
    }
  }

  /** Waits for what a request needs before it is sent, for `requestMs` at most; see {@link waitBounded}. */
  prepare<Result>(
    wait: Promise<Result>,
    { doing }: RequestLabel,
    signal: AbortSignal | undefined,
  ): Promise<Result> {
    return waitBounded(wait, { signal, limitMs: this.#timeouts.requestMs, doing });
  }

  /** Whether `error` refused the credentials `used` and a request sent now would carry others. */
  async hasOtherCredentials(
    error: unknown,
    used: Credentials | null,
    label: RequestLabel,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    return isStale(error) && (await this.prepare(this.#credentials.hasOthers(used), label, signal));
  }

  #sendOnce<Output>(
    label: RequestLabel,
    signal: AbortSignal | undefined,
    call: (client: S3Client, options: SendOptions) => Promise<Output>,
  ): Promise<Output> {
    return this.attempt(label, signal, async (limitMs) => {
      // The SDK's own timeout ends with the answer's headers; S3 sends those of a copy long before its outcome.
      const deadline = new AbortController();
      const timer = setTimeout(() => deadline.abort(), limitMs);
      try {
        return await call(this.client, { requestTimeout: limitMs, abortSignal: deadline.signal });
      } finally {
        clearTimeout(timer);
      }
    });
  }

  /** One attempt: as {@link S3Requests.send} without repeating, for a `call` that keeps to `limitMs` by itself. */
  async attempt<Output>(
    label: RequestLabel,
    signal: AbortSignal | undefined,
    call: (limitMs: number) => Promise<Output>,
  ): Promise<Output> {
    if (signal?.aborted) throw new DomainError("stopped", `Stopped before ${label.doing}.`);
    this.#counts[label.kind] += 1;
    try {
      const output = await call(this.#limitMs(label));
      this.#credentials.noteAccepted();
      return output;
    } catch (error) {
      const fault = this.#credentials.judge(faultFromSdk(error, label.doing), label.doing);
      if (fault.kind === "throttled") this.noteThrottled();
      throw fault;
    }
  }

  #limitMs({ kind, bytes }: RequestLabel): number {
    const { requestMs, copyMs } = this.#timeouts;
    if (kind !== "copy") return requestMs;
    return bytes === undefined ? copyMs : Math.min(copyMs, requestMs + bytes / SLOWEST_COPY_BYTES_PER_MS);
  }

  /** Counts a rejection inside an answer of status 200. */
  noteThrottled(): void {
    this.#counts.throttled += 1;
  }
}
