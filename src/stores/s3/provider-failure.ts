/** Says of credentials that could not be had that it was not the store that refused. */

import type { S3Client } from "@aws-sdk/client-s3";

/**
 * A service that hands out credentials (STS, SSO) has refused. Bears the name that the SDK's own providers use where
 * they have none: the SDK lets this refusal through as it is, and `AccessDenied` from STS would pass for the store's.
 */
class ProviderFailure extends Error {
  constructor(cause: Error) {
    super(`${cause.name} from the service that hands out credentials`, { cause });
    this.name = "CredentialsProviderError";
  }
}

/**
 * From now on `client` tells a provider's refusal from the store's: credentials that cannot be had concern every
 * object, not the one that was being copied. A network that fails stays what it is, an outage.
 */
export function tellProviderFailures(client: S3Client): void {
  const { credentials } = client.config;
  const telling = async (...options: Parameters<typeof credentials>) => {
    try {
      return await credentials(...options);
    } catch (error) {
      throw isRefusal(error) ? new ProviderFailure(error) : error;
    }
  };
  // What the SDK marks its own chain with, which it then neither caches a second time nor binds to the client again.
  client.config.credentials = Object.assign(telling, { memoized: true, configBound: true, attributed: true });
}

/** What a service of AWS answered, by the SDK's own marks. */
function isRefusal(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  return "$fault" in error && $metadata?.httpStatusCode !== undefined;
}
