/** Sends requests for one job: counts each, stops between them, bounds their time, translates their failure. */

import type { S3Client } from "@aws-sdk/client-s3";
import { DomainError } from "../../../domain/errors.ts";
import type { RequestCounts } from "../../../ports/object-store.ts";
import { isStale } from "../s3-errors.ts";
import { beforeSending } from "./before-sending.ts";
import { CredentialWatch } from "./credential-watch.ts";
import { faultFromSdk } from "./sdk-faults.ts";

/** Under which heading a request is counted. */
export type RequestKind = Exclude<keyof RequestCounts, "throttled">;

export interface RequestTimeouts {
  /** From the wait for a connection to the end of the answer. */
  readonly requestMs: number;
  /** The same for server-side copies, which last as long as the object is large: their longest time. */
  readonly copyMs: number;
}

/** What a request is, for counting and for messages. */
export interface RequestLabel {
  readonly kind: RequestKind;
  /** As in "when listing bucket-a". */
  readonly doing: string;
  /** What a copy copies; one of unknown size gets the longest time. */
  readonly bytes?: number;
}

/** The slowest copy that is still taken for alive; AWS copies some 80 MB/s and more in one request. */
const SLOWEST_COPY_BYTES_PER_MS = 10_000;

/** What goes to `client.send` beside the command. */
export interface SendOptions {
  readonly requestTimeout: number;
  readonly abortSignal: AbortSignal;
}

/** A job's way to the shared client. */
export class S3Requests {
  readonly client: S3Client;
  /** Asked when a request that writes leaves, after all preparation: whether it still may. */
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
   * fails; one that was refused for its credentials is sent once more if there are others. The signal does not reach
   * the SDK: a request that has begun may take effect, so its outcome is waited for.
   */
  async send<Output>(
    label: RequestLabel,
    signal: AbortSignal | undefined,
    call: (client: S3Client, options: SendOptions) => Promise<Output>,
  ): Promise<Output> {
    const terms = { signal, limitMs: this.#timeouts.requestMs, doing: label.doing };
    const used = await beforeSending(this.#credentials.current(), terms);
    try {
      return await this.#sendOnce(label, signal, call);
    } catch (error) {
      if (!isStale(error) || !(await beforeSending(this.#credentials.hasOthers(used), terms))) throw error;
      return this.#sendOnce(label, signal, call);
    }
  }

  #sendOnce<Output>(
    label: RequestLabel,
    signal: AbortSignal | undefined,
    call: (client: S3Client, options: SendOptions) => Promise<Output>,
  ): Promise<Output> {
    return this.run(label, signal, async (limitMs) => {
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

  /** As {@link S3Requests.send}, for a request that is sent in another way and keeps to `limitMs` by itself. */
  async run<Output>(
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

  /** Counts a request as rejected that was answered with 200, yet rejected inside. */
  noteThrottled(): void {
    this.#counts.throttled += 1;
  }
}
