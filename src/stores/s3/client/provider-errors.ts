/** Tells errors of a service that issues credentials (STS, SSO) from errors of the store. */

import type { S3Client } from "@aws-sdk/client-s3";

/**
 * Wraps the credential provider of `client`: from now on refusals of the issuing service have names of their own.
 * Network errors are passed on: they are outages already.
 */
export function markProviderErrors(client: S3Client): void {
  const { credentials } = client.config;
  const marking = async (...options: Parameters<typeof credentials>) => {
    try {
      return await credentials(...options);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const status = serviceStatus(error);
      if (status === null) throw error;
      throw isTransient(error, status) ? outage(error) : refusal(error);
    }
  };
  // The SDK's marks of a provider chain that it need not cache and bind to the client again.
  client.config.credentials = Object.assign(marking, { memoized: true, configBound: true, attributed: true });
}

/**
 * Named like the error of the SDK's own providers that have no credentials, which the SDK passes on unchanged; by its
 * own name, `AccessDenied` from STS could not be told from the store's.
 */
function refusal(cause: Error): Error {
  const error = new Error(`${cause.name} from the service that hands out credentials`, { cause });
  return Object.assign(error, { name: "CredentialsProviderError" });
}

/** The issuing service is throttled or down; handled like an outage of the store. */
function outage(cause: Error): Error {
  const error = new Error(`the service that hands out credentials answered ${cause.name}`, { cause });
  return Object.assign(error, { name: "CredentialsServiceUnavailable" });
}

/** The HTTP status of an answer of an AWS service; null for any other error. */
function serviceStatus(error: Error): number | null {
  if (!("$fault" in error)) return null;
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  return $metadata?.httpStatusCode ?? null;
}

function isTransient({ name }: Error, status: number): boolean {
  // An identity provider that STS could not reach (STS API reference, AssumeRoleWithWebIdentity) is a 400.
  return status >= 500 || status === 429 || /^(Throttl|RequestLimit|IDPCommunicationError)/.test(name);
}
