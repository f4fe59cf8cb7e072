/** The hot path: `CopyObject` signed here and sent over kept connections, at a tenth of the CPU of the SDK's pipeline. */

import type { S3Client } from "@aws-sdk/client-s3";
import type { ConnectionLimits } from "../client/connection-stack.ts";
import type { Credentials } from "../client/credential-watch.ts";
import { type PooledRequest, RequestPools } from "../client/request-pools.ts";
import { CONNECTION_LIMITS } from "../client/s3-client.ts";
import { AmzDateFormatter, SigningKeyCache } from "../client/sign-request.ts";
import { hasKind } from "../s3-errors.ts";
import { CopyHeaderCache, type SingleCopyInput } from "./copy-headers.ts";
import { parseCopyResultEtag, parseWithSdk } from "./copy-response.ts";
import { type CopyRoute, resolveRoute } from "./copy-route.ts";
import { encodeKey } from "./copy-source.ts";
import { copyBySdk, type SingleCopy } from "./sdk-copy.ts";

/** The SDK renews credentials five minutes before they expire; a minute earlier it is asked for each copy. */
const RENEWAL_MS = 6 * 60_000;

/** Where copies into a bucket are sent, and with which headers. */
interface BucketRoute {
  readonly route: CopyRoute;
  readonly headers: CopyHeaderCache;
}

/** The route to a bucket; null: its copies are sent by the SDK. */
interface RouteEntry {
  readonly resolving: Promise<BucketRoute | null>;
  resolved: BucketRoute | null;
}

/** What a copy is sent with. */
interface Prepared {
  readonly bucketRoute: BucketRoute;
  readonly credentials: Credentials;
}

/**
 * Sends copies over pools that all jobs on a store share. Endpoints, credentials, the clock offset and every answer but
 * plain success are the SDK's, so that both paths have the same results.
 */
export class PooledCopies {
  readonly #client: S3Client;
  readonly #pools: RequestPools;
  /** By bucket. */
  readonly #routes = new Map<string, RouteEntry>();
  readonly #signingKeys = new SigningKeyCache();
  readonly #dates = new AmzDateFormatter();
  /** Kept for a second: the SDK's provider answers through several promises, which is much for every copy. */
  #recent: { readonly second: number; readonly credentials: Credentials } | null = null;

  constructor(client: S3Client, limits: Partial<ConnectionLimits> = {}) {
    this.#client = client;
    this.#pools = new RequestPools({ ...CONNECTION_LIMITS, ...limits });
  }

  /**
   * Gives the ETag of the new object as the store wrote it. Where route and credentials are known the request is written
   * before this returns, if a connection is free.
   */
  send(copy: SingleCopy): Promise<string | undefined> {
    const bucketRoute = this.#routes.get(copy.input.Bucket)?.resolved ?? null;
    const recent = this.#recent;
    if (bucketRoute === null || recent?.second !== currentSecond()) return this.#prepareAndSend(copy);
    return this.#sendAndRetry(copy, { bucketRoute, credentials: recent.credentials });
  }

  /** Aborts what is still under way; the client is destroyed by its owner. */
  close(): Promise<void> {
    return this.#pools.close();
  }

  async #prepareAndSend(copy: SingleCopy): Promise<string | undefined> {
    const prepared = await this.#prepare(copy);
    return prepared === null ? copyBySdk(copy) : this.#sendAndRetry(copy, prepared);
  }

  #sendAndRetry(copy: SingleCopy, prepared: Prepared): Promise<string | undefined> {
    return this.#sendOnce(copy, prepared).catch(async (error: unknown) => {
      if (!(await this.#isWorthRetrying(copy, prepared, error))) throw error;
      const again = await this.#prepare(copy);
      return again === null ? copyBySdk(copy) : this.#sendOnce(copy, again);
    });
  }

  #sendOnce(copy: SingleCopy, prepared: Prepared): Promise<string | undefined> {
    const { requests, label, input, signal, mayBegin, onAnswered } = copy;
    return requests.attempt(label, signal, (limitMs) =>
      this.#pools.send(this.#build(prepared, input), {
        limitMs,
        mayBegin,
        onResponse: (response) => {
          const etag = parseCopyResultEtag(response);
          if (etag === null || etag === "") return parseWithSdk(this.#client, input, response);
          onAnswered?.(etag);
          return etag;
        },
      }),
    );
  }

  /** Null: the SDK sends the copy, as it has to, or as preparing failed and the SDK then throws the reason. */
  #prepare({ requests, label, input, signal }: SingleCopy): Promise<Prepared | null> {
    const prepare = async () => {
      const bucketRoute = await this.#routeTo(input.Bucket);
      return bucketRoute && { bucketRoute, credentials: await this.#currentCredentials() };
    };
    return requests.prepare(
      prepare().catch(() => null),
      label,
      signal,
    );
  }

  /** From the provider, whatever is kept. */
  async #currentCredentials(): Promise<Credentials> {
    const second = currentSecond();
    const credentials = await this.#client.config.credentials();
    const { expiration } = credentials;
    const isLasting = expiration === undefined || expiration.getTime() > Date.now() + RENEWAL_MS;
    this.#recent = isLasting ? { second, credentials } : null;
    return credentials;
  }

  #routeTo(bucket: string): Promise<BucketRoute | null> {
    const known = this.#routes.get(bucket);
    if (known !== undefined) return known.resolving;
    const resolving = resolveRoute(this.#client, bucket).then((route) => {
      entry.resolved = route && { route, headers: new CopyHeaderCache(route, this.#signingKeys) };
      return entry.resolved;
    });
    const entry: RouteEntry = { resolving, resolved: null };
    this.#routes.set(bucket, entry);
    // Missing credentials or an unreachable network may be temporary.
    resolving.catch(() => this.#routes.delete(bucket));
    return resolving;
  }

  /** Whether the same copy would now be sent to another region or with other credentials. */
  #isWorthRetrying(copy: SingleCopy, used: Prepared, error: unknown): Promise<boolean> {
    const { requests, label, input, signal } = copy;
    if (hasKind(error, "wrong_region")) {
      return requests.prepare(this.#hasMoved(input.Bucket, used.bucketRoute), label, signal);
    }
    return requests.hasOtherCredentials(error, used.credentials, label, signal);
  }

  /** Whether the client has learned from a redirect that `bucket` is in another region than `used` leads to. */
  async #hasMoved(bucket: string, used: BucketRoute): Promise<boolean> {
    if (this.#routes.get(bucket)?.resolved === used) this.#routes.delete(bucket);
    const now = await this.#routeTo(bucket).catch(() => used);
    return now?.route.region !== used.route.region;
  }

  #build({ bucketRoute: { route, headers }, credentials }: Prepared, input: SingleCopyInput): PooledRequest {
    const path = route.pathPrefix + encodeKey(input.Key);
    const amzDate = this.#dates.format(Date.now() + this.#client.config.systemClockOffset);
    return {
      method: "PUT",
      origin: route.origin,
      path,
      headers: headers.headersFor(input, path, amzDate, credentials),
    };
  }
}

function currentSecond(): number {
  return Math.floor(Date.now() / 1000);
}
