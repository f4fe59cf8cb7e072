/** Watches over one store's credentials: asks their provider again when they are refused, and says when to give up. */

import type { S3Client } from "@aws-sdk/client-s3";
import { S3Fault } from "../s3-errors.ts";

export type Credentials = Awaited<ReturnType<S3Client["config"]["credentials"]>>;

export interface CredentialWatchOptions {
  /** The store's configured name, for messages. */
  readonly store?: string;
  /** So long refused credentials are taken for ones that are about to be renewed. */
  readonly patienceMs?: number;
  /** Epoch milliseconds. */
  now?(): number;
}

/** A minute: what a rotation by file, process or role takes at most where it works at all. */
const PATIENCE_MS = 60_000;
/** The provider may be a program or a web service: it is not asked for every request that failed. */
const RENEWAL_PAUSE_MS = 1_000;

/** Shared by all jobs on a store, like the client whose credentials it watches. */
export class CredentialWatch {
  readonly #client: S3Client;
  readonly #store: string | null;
  readonly #patienceMs: number;
  readonly #now: () => number;
  #wasAccepted = false;
  #refusedSince: number | null = null;
  #renewedAt = Number.NEGATIVE_INFINITY;

  constructor(client: S3Client, options: CredentialWatchOptions = {}) {
    this.#client = client;
    this.#store = options.store ?? null;
    this.#patienceMs = options.patienceMs ?? PATIENCE_MS;
    this.#now = options.now ?? Date.now;
  }

  /**
   * Somebody begins to work on the store, after something was done about its credentials perhaps: patience begins anew,
   * and what an earlier run left behind does not count, as the first requests may still carry the old ones.
   */
  beginAnew(): void {
    this.#refusedSince = null;
  }

  /** The store has done what a request asked for. */
  noteAccepted(): void {
    this.#wasAccepted = true;
    this.#refusedSince = null;
  }

  /**
   * `fault` as the caller is to see it. Credentials that were good until now are awaited for a while, as an outage of
   * the store would be; then, or if they never were good, nothing but an operator helps: `store_credentials`, for all
   * requests that are still under way too, until somebody {@link CredentialWatch.beginAnew}s.
   */
  judge(fault: S3Fault, doing: string): S3Fault {
    if (fault.kind !== "stale_credentials" && fault.kind !== "credentials") return fault;
    this.#refusedSince ??= this.#now();
    const isAwaited = this.#wasAccepted && this.#now() - this.#refusedSince < this.#patienceMs;
    const kind = fault.kind === "stale_credentials" && isAwaited ? "credentials_awaited" : fault.kind;
    const { status, vendorCode: code } = fault;
    const store = this.#store === null ? {} : { store: this.#store };
    return new S3Fault({ code, status, message: "", kind, cause: fault.cause, ...store }, doing);
  }

  /** The credentials a request sent now would carry; null when the provider has none. */
  current(): Promise<Credentials | null> {
    return this.#client.config.credentials().catch(() => null);
  }

  /** Whether the provider has others than `used` by now, or when asked once more. */
  async hasOthers(used: Credentials | null): Promise<boolean> {
    const isOther = (one: Credentials | null) =>
      one !== null && (one.accessKeyId !== used?.accessKeyId || one.sessionToken !== used.sessionToken);
    if (isOther(await this.current())) return true;
    if (this.#now() - this.#renewedAt < RENEWAL_PAUSE_MS) return false;
    this.#renewedAt = this.#now();
    // The store's refusal says more than the provider's.
    return isOther(await this.#client.config.credentials({ forceRefresh: true }).catch(() => null));
  }
}
