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

/** It could not answer just now; waited for like an outage of the store. */
class ProviderOutage extends Error {
  constructor(cause: Error) {
    super(`the service that hands out credentials answered ${cause.name}`, { cause });
    this.name = "CredentialsServiceUnavailable";
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
      if (!(error instanceof Error)) throw error;
      const status = statusOf(error);
      if (status === null) throw error;
      throw isPassing(error, status) ? new ProviderOutage(error) : new ProviderFailure(error);
    }
  };
  // What the SDK marks its own chain with, which it then neither caches a second time nor binds to the client again.
  client.config.credentials = Object.assign(telling, { memoized: true, configBound: true, attributed: true });
}

/** Of an answer of a service of AWS, by the SDK's own marks; null for anything else. */
function statusOf(error: Error): number | null {
  if (!("$fault" in error)) return null;
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  return $metadata?.httpStatusCode ?? null;
}

function isPassing({ name }: Error, status: number): boolean {
  // An identity provider that STS could not reach (STS API reference, AssumeRoleWithWebIdentity) is a 400.
  return status >= 500 || status === 429 || /^(Throttl|RequestLimit|IDPCommunicationError)/.test(name);
}
