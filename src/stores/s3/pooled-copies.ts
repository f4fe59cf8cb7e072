/** The hot path: `CopyObject` signed here and sent over a pool, at a fraction of what the SDK's pipeline costs. */

import { CopyObjectCommand, type CopyObjectCommandInput, type S3Client } from "@aws-sdk/client-s3";
import { plainEtag, readAsSdk } from "./copy-answer.ts";
import { type CopyRoute, learnRoute } from "./copy-route.ts";
import { encodeKey } from "./copy-source.ts";
import { lookBeforeSending } from "./last-look.ts";
import { type BareRequest, type PoolLimits, RequestPools } from "./request-pools.ts";
import { CONNECTION_LIMITS } from "./s3-client.ts";
import { S3Fault } from "./s3-errors.ts";
import type { RequestLabel, S3Requests } from "./s3-requests.ts";
import { AmzDates, EMPTY_PAYLOAD, RequestSigner } from "./sign-request.ts";

/** The fields a single copy has; a copy of anything else would be sent incompletely. */
export type SingleCopyInput = Pick<
  CopyObjectCommandInput,
  "MetadataDirective" | "TaggingDirective" | "StorageClass" | "IfNoneMatch"
> & {
  readonly Bucket: string;
  readonly Key: string;
  readonly CopySource: string;
  readonly CopySourceIfMatch: string;
};

type Credentials = Awaited<ReturnType<S3Client["config"]["credentials"]>>;

/** Codes of an answer that other credentials would not have got. */
const STALE_CREDENTIALS: ReadonlySet<string> = new Set([
  "ExpiredToken",
  "ExpiredTokenException",
  "InvalidAccessKeyId",
  "InvalidToken",
  "TokenRefreshRequired",
]);

/**
 * Copies over pools that all jobs on a store share. What is rare stays with the SDK: where a bucket is, who signs,
 * the clock's offset, and every answer that is not plain success; so either path has the same results.
 */
export class PooledCopies {
  readonly #client: S3Client;
  readonly #pools: RequestPools;
  readonly #routes = new Map<string, Promise<CopyRoute | null>>();
  readonly #signer = new RequestSigner();
  readonly #dates = new AmzDates();

  constructor(client: S3Client, limits: Partial<PoolLimits> = {}) {
    this.#client = client;
    this.#pools = new RequestPools({ ...CONNECTION_LIMITS, ...limits });
  }

  /** Gives the ETag of the new object as the store wrote it. */
  async send(
    requests: S3Requests,
    label: RequestLabel,
    input: SingleCopyInput,
    signal: AbortSignal | undefined,
  ): Promise<string | undefined> {
    const used: { credentials: Credentials | null; route: CopyRoute | null } = {
      credentials: null,
      route: null,
    };
    const attempt = () =>
      requests.run(label, signal, async (limitMs) => {
        const route = await this.#routeTo(input.Bucket);
        if (route === null) return this.#sendBySdk(input, limitMs, requests.mayWrite);
        // The SDK keeps them, and renews them five minutes before they expire.
        const credentials = await this.#client.config.credentials();
        used.credentials = credentials;
        used.route = route;
        const answer = await this.#pools.send(
          this.#build(route, credentials, input),
          limitMs,
          requests.mayWrite,
        );
        return plainEtag(answer) ?? (await readAsSdk(this.#client, input, answer));
      });
    try {
      return await attempt();
    } catch (error) {
      const isElsewhere = error instanceof S3Fault && error.kind === "wrong_region";
      if (isElsewhere && (await this.#hasMoved(input.Bucket, used.route))) return attempt();
      const isStale = error instanceof S3Fault && STALE_CREDENTIALS.has(error.vendorCode);
      if (!isStale || !(await this.#hasOtherCredentials(used.credentials))) throw error;
      return attempt();
    }
  }

  /** Cuts what is still under way; the client is the owner's to destroy. */
  close(): Promise<void> {
    return this.#pools.close();
  }

  #routeTo(bucket: string): Promise<CopyRoute | null> {
    const known = this.#routes.get(bucket);
    if (known !== undefined) return known;
    const route = learnRoute(this.#client, bucket);
    this.#routes.set(bucket, route);
    // Credentials or a network that were missing may be there next time.
    route.catch(() => this.#routes.delete(bucket));
    return route;
  }

  /** Whether the client has learned, from a redirect, that `bucket` is in another region than `used` led to. */
  async #hasMoved(bucket: string, used: CopyRoute | null): Promise<boolean> {
    if ((await this.#routeTo(bucket))?.region !== used?.region) return true;
    this.#routes.delete(bucket);
    return (await this.#routeTo(bucket))?.region !== used?.region;
  }

  async #sendBySdk(
    input: SingleCopyInput,
    limitMs: number,
    mayWrite: () => boolean,
  ): Promise<string | undefined> {
    const options = { requestTimeout: limitMs, abortSignal: AbortSignal.timeout(limitMs) };
    const command = new CopyObjectCommand(input);
    lookBeforeSending(command, mayWrite);
    const output = await this.#client.send(command, options);
    return output.CopyObjectResult?.ETag;
  }

  #build(route: CopyRoute, credentials: Credentials, input: SingleCopyInput): BareRequest {
    const method = "PUT";
    const path = route.pathPrefix + encodeKey(input.Key);
    const amzDate = this.#dates.at(Date.now() + this.#client.config.systemClockOffset);
    const headers = headersOf(route, credentials, input, amzDate);
    const by = {
      accessKeyId: credentials.accessKeyId,
      secretAccessKey: credentials.secretAccessKey,
      region: route.region,
    };
    const authorization = this.#signer.authorization(by, amzDate, { method, path, headers });
    return {
      method,
      origin: route.origin,
      path,
      headers: [...headers.flat(), "user-agent", route.userAgent, "authorization", authorization],
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
    }
  }
}

/** All headers that are signed, sorted. */
function headersOf(
  route: CopyRoute,
  { sessionToken }: Credentials,
  input: SingleCopyInput,
  amzDate: string,
): [string, string][] {
  const headers: [string, string][] = [
    ["host", route.host],
    ["x-amz-content-sha256", EMPTY_PAYLOAD],
    ["x-amz-copy-source", input.CopySource],
    ["x-amz-date", amzDate],
  ];
  for (const name of route.pinHeaders) headers.push([name, input.CopySourceIfMatch]);
  const { IfNoneMatch, MetadataDirective, TaggingDirective, StorageClass } = input;
  if (IfNoneMatch !== undefined) headers.push(["if-none-match", IfNoneMatch]);
  if (MetadataDirective !== undefined) headers.push(["x-amz-metadata-directive", MetadataDirective]);
  if (TaggingDirective !== undefined) headers.push(["x-amz-tagging-directive", TaggingDirective]);
  if (StorageClass !== undefined) headers.push(["x-amz-storage-class", StorageClass]);
  if (sessionToken !== undefined) headers.push(["x-amz-security-token", sessionToken]);
  return headers.sort(([one], [other]) => (one < other ? -1 : 1));
}
