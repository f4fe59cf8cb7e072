/** Opens the SDK client of DynamoDB, for the functions and the service. */

import { DynamoDBClient, type DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";

const CONNECTION_TIMEOUT_MS = 3_000;
/** A request for one item takes some milliseconds, one for 100 items less than a second. */
const REQUEST_TIMEOUT_MS = 5_000;
const MOST_SOCKETS = 64;

/**
 * A client that does not retry; `destroy()` it when it is no longer needed. The SDK's quota of retries is shared by all calls
 * of a client and drains under throttling, so `repeatWhileBusy` retries. Region and credentials are found by the SDK unless
 * given.
 */
export function openTableClient(
  config: Pick<DynamoDBClientConfig, "region" | "endpoint" | "credentials"> = {},
): DynamoDBClient {
  return new DynamoDBClient({
    ...config,
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
      httpAgent: { maxSockets: MOST_SOCKETS },
      httpsAgent: { maxSockets: MOST_SOCKETS },
    },
  });
}
