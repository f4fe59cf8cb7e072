/** Tracks whether a store accepts its credentials, renews refused ones, and limits how long a renewal is awaited. */

import type { S3Client } from "@aws-sdk/client-s3";
import { S3Fault } from "../s3-errors.ts";

export type Credentials = Awaited<ReturnType<S3Client["config"]["credentials"]>>;

export interface CredentialWatchOptions {
  /** The store's configured name, for messages. */
  readonly store?: string;
  /** Milliseconds for which refused credentials that were accepted before are taken for ones about to be renewed. */
  readonly graceMs?: number;
  /** Epoch milliseconds. */
  now?(): number;
}

/** What a rotation by file, process or role takes at most where it works at all. */
const GRACE_MS = 60_000;
/** The provider may be a program or a web service: it is not asked for every request that failed. */
const REFRESH_INTERVAL_MS = 1_000;

/** Shared by all jobs on a store, like the client whose credentials it watches. */
export class CredentialWatch {
  readonly #client: S3Client;
  readonly #store: string | null;
  readonly #graceMs: number;
  readonly #now: () => number;
  #wasAccepted = false;
  #refusedSince: number | null = null;
  #lastRefresh: { readonly at: number; readonly credentials: Promise<Credentials | null> } | null = null;

  constructor(client: S3Client, options: CredentialWatchOptions = {}) {
    this.#client = client;
    this.#store = options.store ?? null;
    this.#graceMs = options.graceMs ?? GRACE_MS;
    this.#now = options.now ?? Date.now;
  }

  /** At the start of a run, before which an operator may have renewed the credentials: earlier refusals do not count. */
  restartGrace(): void {
    this.#refusedSince = null;
  }

  /** A request has been accepted. */
  noteAccepted(): void {
    this.#wasAccepted = true;
    this.#refusedSince = null;
  }

  /**
   * `fault` as the caller is to see it. A refusal of credentials that were accepted before is `store_unavailable` during
   * the grace period; then, or if none were ever accepted, `store_credentials` for all requests until
   * {@link CredentialWatch.restartGrace}.
   */
  judge(fault: S3Fault, doing: string): S3Fault {
    if (fault.kind !== "stale_credentials" && fault.kind !== "credentials") return fault;
    this.#refusedSince ??= this.#now();
    const isAwaited = this.#wasAccepted && this.#now() - this.#refusedSince < this.#graceMs;
    const kind = fault.kind === "stale_credentials" && isAwaited ? "credentials_awaited" : fault.kind;
    const { status, vendorCode: code } = fault;
    const store = this.#store === null ? {} : { store: this.#store };
    return new S3Fault({ code, status, message: "", kind, cause: fault.cause, ...store }, doing);
  }

  /** The credentials a request sent now would carry; null when the provider has none. */
  current(): Promise<Credentials | null> {
    return this.#client.config.credentials().catch(() => null);
  }

  /** Whether the provider has other credentials than `used`, now or after a refresh; concurrent calls share one. */
  async hasOthers(used: Credentials | null): Promise<boolean> {
    const isOther = (one: Credentials | null) =>
      one !== null && (one.accessKeyId !== used?.accessKeyId || one.sessionToken !== used.sessionToken);
    return isOther(await this.current()) || isOther(await this.#refresh());
  }

  #refresh(): Promise<Credentials | null> {
    const last = this.#lastRefresh;
    if (last !== null && this.#now() - last.at < REFRESH_INTERVAL_MS) return last.credentials;
    // Not thrown: the store's refusal says more than the provider's.
    const credentials = this.#client.config.credentials({ forceRefresh: true }).catch(() => null);
    this.#lastRefresh = { at: this.#now(), credentials };
    return credentials;
  }
}
