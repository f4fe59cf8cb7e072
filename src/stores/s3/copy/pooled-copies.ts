/** The hot path: `CopyObject` signed here and sent over a pool, at a fraction of what the SDK's pipeline costs. */

import { CopyObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { CopyRequest } from "../../../ports/object-store.ts";
import { type BeforeSending, beforeSending } from "../client/before-sending.ts";
import { type BareRequest, type PoolLimits, RequestPools } from "../client/request-pools.ts";
import { CONNECTION_LIMITS } from "../client/s3-client.ts";
import type { RequestLabel, S3Requests } from "../client/s3-requests.ts";
import { AmzDates, RequestSigner } from "../client/sign-request.ts";
import { S3Fault } from "../s3-errors.ts";
import { plainEtag, readAsSdk } from "./copy-answer.ts";
import { CopyHeaders, type SingleCopyInput } from "./copy-headers.ts";
import { type CopyRoute, learnRoute } from "./copy-route.ts";
import { encodeKey } from "./copy-source.ts";
import { lookBeforeSending } from "./last-look.ts";

type Credentials = Awaited<ReturnType<S3Client["config"]["credentials"]>>;

/** Codes of an answer that other credentials would not have got. */
const STALE_CREDENTIALS: ReadonlySet<string> = new Set([
  "ExpiredToken",
  "ExpiredTokenException",
  "InvalidAccessKeyId",
  "InvalidToken",
  "TokenRefreshRequired",
]);

/** So long before they expire the SDK begins to renew credentials, and a minute to spare. */
const RENEWAL_MS = 6 * 60_000;

/** A provider that is asked for others after a refusal is waited for so long. */
const PROVIDER_MS = 60_000;

/** Where copies into a bucket go, and with which headers. */
interface Way {
  readonly route: CopyRoute;
  readonly headers: CopyHeaders;
}

/** What a copy's sender wants of it. */
export interface Asked {
  readonly onAnswered?: CopyRequest["onAnswered"] | undefined;
  /** Asked at the moment the request is written; the job's own question unless given. */
  readonly mayBegin?: () => boolean;
}

/** What an attempt must keep to. */
interface Terms extends BeforeSending {
  readonly mayWrite: () => boolean;
  readonly asked: Asked;
}

/** What an attempt was made with. */
interface Used {
  credentials: Credentials | null;
  route: CopyRoute | null;
}

/**
 * Copies over pools that all jobs on a store share. What is rare stays with the SDK: where a bucket is, who signs,
 * the clock's offset, and every answer that is not plain success; so either path has the same results.
 */
export class PooledCopies {
  readonly #client: S3Client;
  readonly #pools: RequestPools;
  /** By bucket; null: the SDK's. */
  readonly #ways = new Map<string, Way | null>();
  readonly #asked = new Map<string, Promise<Way | null>>();
  readonly #signer = new RequestSigner();
  readonly #dates = new AmzDates();
  /** The provider's answer of this second: it answers through several promises, which is much for every copy. */
  #recent: { readonly second: number; readonly credentials: Credentials } | null = null;

  constructor(client: S3Client, limits: Partial<PoolLimits> = {}) {
    this.#client = client;
    this.#pools = new RequestPools({ ...CONNECTION_LIMITS, ...limits });
  }

  /** Gives the ETag of the new object as the store wrote it. `asked` is told when the answer is there. */
  send(
    requests: S3Requests,
    label: RequestLabel,
    input: SingleCopyInput,
    signal: AbortSignal | undefined,
    asked: Asked = {},
  ): Promise<string | undefined> {
    const used: Used = { credentials: null, route: null };
    const before = { signal, doing: label.doing };
    const call = (limitMs: number) =>
      this.#sendOnce(
        input,
        { ...before, limitMs, mayWrite: asked.mayBegin ?? requests.mayWrite, asked },
        used,
      );
    return requests.run(label, signal, call).catch(async (error: unknown) => {
      const others = this.#isWorthRepeating(error, input.Bucket, used);
      if (!(await beforeSending(others, { ...before, limitMs: PROVIDER_MS }))) throw error;
      return requests.run(label, signal, call);
    });
  }

  /** Cuts what is still under way; the client is the owner's to destroy. */
  close(): Promise<void> {
    return this.#pools.close();
  }

  /** Without waiting for anything but the answer where way and credentials are known: every copy comes by here. */
  #sendOnce(input: SingleCopyInput, terms: Terms, used: Used): Promise<string | undefined> {
    const way = this.#ways.get(input.Bucket) ?? null;
    const recent = this.#recent;
    if (way === null || recent?.second !== thisSecond()) return this.#askAndSend(input, terms, used);
    return this.#exchange(input, terms, used, way, recent.credentials);
  }

  async #askAndSend(input: SingleCopyInput, terms: Terms, used: Used): Promise<string | undefined> {
    const way = await beforeSending(this.#wayTo(input.Bucket), terms);
    if (way === null) return this.#sendBySdk(input, terms);
    return this.#exchange(input, terms, used, way, await beforeSending(this.#askCredentials(), terms));
  }

  #exchange(
    input: SingleCopyInput,
    { limitMs, mayWrite, asked }: Terms,
    used: Used,
    way: Way,
    credentials: Credentials,
  ): Promise<string | undefined> {
    used.credentials = credentials;
    used.route = way.route;
    return this.#pools.send(this.#build(way, credentials, input), {
      limitMs,
      mayBegin: mayWrite,
      onAnswer: (answer) => {
        const etag = plainEtag(answer);
        if (etag === null) return readAsSdk(this.#client, input, answer);
        asked.onAnswered?.(etag);
        return etag;
      },
    });
  }

  /** The SDK keeps them, and renews them five minutes before they expire: from then on it is asked each time. */
  async #askCredentials(): Promise<Credentials> {
    const second = thisSecond();
    const credentials = await this.#client.config.credentials();
    const { expiration } = credentials;
    const isLasting = expiration === undefined || expiration.getTime() > Date.now() + RENEWAL_MS;
    this.#recent = isLasting ? { second, credentials } : null;
    return credentials;
  }

  #wayTo(bucket: string): Promise<Way | null> {
    const asked = this.#asked.get(bucket);
    if (asked !== undefined) return asked;
    const asking = learnRoute(this.#client, bucket).then((route) => {
      const way = route === null ? null : { route, headers: new CopyHeaders(route, this.#signer) };
      this.#ways.set(bucket, way);
      return way;
    });
    this.#asked.set(bucket, asking);
    // Credentials or a network that were missing may be there next time.
    asking.catch(() => this.#asked.delete(bucket));
    return asking;
  }

  /** Whether the same copy would be sent elsewhere now, or signed by others. */
  async #isWorthRepeating(error: unknown, bucket: string, used: Used): Promise<boolean> {
    if (!(error instanceof S3Fault)) return false;
    if (error.kind === "wrong_region" && (await this.#hasMoved(bucket, used.route))) return true;
    return STALE_CREDENTIALS.has(error.vendorCode) && this.#hasOtherCredentials(used.credentials);
  }

  /** Whether the client has learned, from a redirect, that `bucket` is in another region than `used` led to. */
  async #hasMoved(bucket: string, used: CopyRoute | null): Promise<boolean> {
    const isOther = async () => (await this.#wayTo(bucket))?.route.region !== used?.region;
    if (await isOther()) return true;
    this.#ways.delete(bucket);
    this.#asked.delete(bucket);
    return isOther();
  }

  async #sendBySdk(input: SingleCopyInput, { limitMs, mayWrite }: Terms): Promise<string | undefined> {
    const options = { requestTimeout: limitMs, abortSignal: AbortSignal.timeout(limitMs) };
    const command = new CopyObjectCommand(input);
    lookBeforeSending(command, mayWrite);
    const output = await this.#client.send(command, options);
    return output.CopyObjectResult?.ETag;
  }

  #build({ route, headers }: Way, credentials: Credentials, input: SingleCopyInput): BareRequest {
    const path = route.pathPrefix + encodeKey(input.Key);
    const amzDate = this.#dates.at(Date.now() + this.#client.config.systemClockOffset);
    return {
      method: "PUT",
      origin: route.origin,
      path,
      headers: headers.of(input, path, amzDate, credentials),
    };
  }

  /** Whether the provider has other credentials by now, or when asked once more. */
  async #hasOtherCredentials(used: Credentials | null): Promise<boolean> {
    if (used === null) return false;
    const { credentials } = this.#client.config;
    const isOther = (one: Credentials) =>
      one.accessKeyId !== used.accessKeyId || one.sessionToken !== used.sessionToken;
    try {
      return isOther(await credentials()) || isOther(await credentials({ forceRefresh: true }));
    } catch {
      // The store's refusal says more than the provider's.
      return false;
    } finally {
      // Now, and not before the provider has answered: others went on with the old ones meanwhile.
      this.#recent = null;
    }
  }
}

function thisSecond(): number {
  return Math.floor(Date.now() / 1000);
}
