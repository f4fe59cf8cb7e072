/** Opens the SDK client that all jobs on one store share. */

import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { followRegions } from "./follow-regions.ts";
import { tellProviderFailures } from "./provider-failure.ts";
import { isAws, type StoreConfig } from "./store-config.ts";

/** How long to wait for a store, and over how many connections to talk to it. */
export interface ClientLimits {
  /** Connections open at once; jobs share them. */
  readonly maxSockets?: number;
  readonly connectionTimeoutMs?: number;
  /** For requests that do not name their own; see {@link import("./s3-requests.ts").RequestTimeouts}. */
  readonly requestTimeoutMs?: number;
  /** A connection on which nothing moves for so long is dead, even in the middle of a copy. */
  readonly silenceTimeoutMs?: number;
}

/** What holds for {@link ClientLimits} that are not given, and for the pools beside the client. */
export const CONNECTION_LIMITS = { maxSockets: 512, connectionTimeoutMs: 5_000, silenceTimeoutMs: 600_000 };

/**
 * Opens a client; `destroy()` it when the store is no longer needed.
 *
 * The SDK never retries here: its retry quota is shared by all calls of a client and drains under throttling, so
 * retrying is left to the caller. Buckets in other regions than the configured one are followed; see `followRegions`.
 */
export function openS3Client(config: StoreConfig, limits: ClientLimits = {}): S3Client {
  const { maxSockets, connectionTimeoutMs, silenceTimeoutMs } = { ...CONNECTION_LIMITS, ...limits };
  const agent = { keepAlive: true, maxSockets };
  const settings: S3ClientConfig = {
    maxAttempts: 1,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: {
      connectionTimeout: connectionTimeoutMs,
      requestTimeout: limits.requestTimeoutMs ?? 60_000,
      throwOnRequestTimeout: true,
      socketTimeout: silenceTimeoutMs,
      httpAgent: new HttpAgent(agent),
      httpsAgent: new HttpsAgent(agent),
    },
  };
  const openIn = (region: string | null): S3Client => {
    const elsewhere = region === null ? {} : { region };
    const client = new S3Client({
      ...settings,
      ...addressOf(config),
      ...elsewhere,
      ...credentialsOf(config),
    });
    tellProviderFailures(client);
    if (!isAws(config)) pinCopiesOnCeph(client);
    return client;
  };
  const client = openIn(null);
  followRegions(client, openIn);
  return client;
}

/**
 * Ceph (16.2 measured) ignores `x-amz-copy-source-if-match` and honours the same condition as `x-amz-copy-if-match`;
 * without it a source overwritten since it was planned would be copied unnoticed.
 */
function pinCopiesOnCeph(client: S3Client): void {
  client.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { readonly headers: Record<string, string> };
      const etag = headers["x-amz-copy-source-if-match"];
      if (etag !== undefined) headers["x-amz-copy-if-match"] = etag;
      return next(args);
    },
    { step: "build", name: "pinCopiesOnCeph" },
  );
}

function addressOf(config: StoreConfig): S3ClientConfig {
  const { endpoint, forcePathStyle } = config;
  // Other stores ignore the region, yet the SDK does not start without one.
  const region = config.region ?? (endpoint === undefined ? undefined : "us-east-1");
  return {
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(forcePathStyle === undefined ? {} : { forcePathStyle }),
  };
}

function credentialsOf(config: StoreConfig): S3ClientConfig {
  const { accessKeyId, secretAccessKey, sessionToken } = config;
  if (accessKeyId === undefined || secretAccessKey === undefined) return {};
  return {
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
  };
}
