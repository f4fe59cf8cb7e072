/** Opens the SDK client of S3 Control, which has the jobs of S3 Batch Operations. */

import { S3ControlClient, type S3ControlClientConfig } from "@aws-sdk/client-s3-control";

const CONNECTION_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** A name that the SDK accepts with the account's number in front of it; no request is sent there. */
const PLACEHOLDER = "http://s3-control.invalid";

/**
 * A client that does not retry; `destroy()` it when it is no longer needed. `endpoint` replaces AWS's: the SDK would put the
 * account's number in front of its host name, so it is put in after that.
 */
export function openControlClient({
  endpoint,
  ...config
}: Pick<S3ControlClientConfig, "region" | "credentials"> & { readonly endpoint?: string }): S3ControlClient {
  const client = new S3ControlClient({
    ...config,
    ...(endpoint === undefined ? {} : { endpoint: PLACEHOLDER }),
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  });
  if (endpoint === undefined) return client;
  const url = new URL(endpoint);
  const port = url.port === "" ? {} : { port: Number(url.port) };
  client.middlewareStack.add(
    (next) => (args) => {
      Object.assign(args.request as object, { protocol: url.protocol, hostname: url.hostname, ...port });
      return next(args);
    },
    { step: "build", name: "sendToEndpoint", priority: "high" },
  );
  return client;
}
