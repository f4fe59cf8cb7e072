/** Opens the SDK client that all jobs on a store share. */

import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import type { ConnectionLimits } from "./connection-stack.ts";
import { followRegions } from "./follow-regions.ts";
import { markProviderErrors } from "./provider-errors.ts";
import { isAws, type S3StoreConfig } from "./store-config.ts";

/** Of the SDK's connections, and of the pools of single copies beside them. */
export const CONNECTION_LIMITS: ConnectionLimits = {
  maxSockets: 512,
  connectionTimeoutMs: 5_000,
  silenceTimeoutMs: 600_000,
};

/** For requests that do not set a timeout of their own; see `RequestTimeouts`. */
const REQUEST_TIMEOUT_MS = 60_000;

/**
 * Opens a client; `destroy()` it when the store is no longer needed.
 *
 * The SDK does not retry: its retry quota is shared by all calls of a client and drains under throttling, so retrying is
 * left to the caller. Redirects to the region of a bucket are followed; see `followRegions`.
 */
export function openS3Client(config: S3StoreConfig): S3Client {
  const { maxSockets, connectionTimeoutMs, silenceTimeoutMs } = CONNECTION_LIMITS;
  const agent = { keepAlive: true, maxSockets };
  const settings: S3ClientConfig = {
    maxAttempts: 1,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: {
      connectionTimeout: connectionTimeoutMs,
      requestTimeout: REQUEST_TIMEOUT_MS,
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
    markProviderErrors(client);
    if (!isAws(config)) pinCopiesOnCeph(client);
    return client;
  };
  const client = openIn(null);
  followRegions(client, openIn);
  return client;
}

/**
 * Ceph 16.2 ignores `x-amz-copy-source-if-match` and enforces the same condition as `x-amz-copy-if-match`; without it a
 * source overwritten since it was planned would be copied unnoticed.
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

function addressOf(config: S3StoreConfig): S3ClientConfig {
  const { endpoint, forcePathStyle } = config;
  // Other stores ignore the region, yet the SDK does not start without one.
  const region = config.region ?? (endpoint === undefined ? undefined : "us-east-1");
  return {
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(forcePathStyle === undefined ? {} : { forcePathStyle }),
  };
}

function credentialsOf(config: S3StoreConfig): S3ClientConfig {
  const { accessKeyId, secretAccessKey, sessionToken } = config;
  if (accessKeyId === undefined || secretAccessKey === undefined) return {};
  return {
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
  };
}
