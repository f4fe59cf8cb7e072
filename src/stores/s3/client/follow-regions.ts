/** Sends requests for a bucket to the region it is in, whichever region the store is configured with. */

import type { S3Client } from "@aws-sdk/client-s3";

type Send = (
  command: { readonly input: { readonly Bucket?: string } },
  options?: unknown,
) => Promise<unknown>;

/**
 * Has `client` send a request whose answer names another region for its bucket, and all later ones for the bucket, by a
 * client of that region, which `openIn` opens. In place of the SDK's `followRegionRedirects`, which changes the region
 * of the whole client during a request, and so of others under way. Credentials and clock offset stay those of `client`.
 */
export function followRegions(client: S3Client, openIn: (region: string) => S3Client): void {
  const sendLocal = client.send.bind(client) as Send;
  const destroyLocal = client.destroy.bind(client);
  const regions = new Map<string, string>();
  const clients = new Map<string, S3Client>();
  const sendTo = (region: string | undefined): Send => {
    if (region === undefined) return sendLocal;
    const opened = clients.get(region) ?? openForRegion(client, openIn(region));
    clients.set(region, opened);
    return opened.send.bind(opened) as Send;
  };
  const send: Send = async (command, options) => {
    const { Bucket: bucket } = command.input;
    const tried = bucket === undefined ? undefined : regions.get(bucket);
    try {
      return await sendTo(tried)(command, options);
    } catch (error) {
      const region = regionIn(error);
      const isElsewhere = region !== null && region !== (tried ?? (await client.config.region()));
      if (bucket === undefined || !isElsewhere) throw error;
      regions.set(bucket, region);
      return sendTo(region)(command, options);
    }
  };
  client.send = send as S3Client["send"];
  client.destroy = () => {
    for (const other of clients.values()) other.destroy();
    destroyLocal();
  };
}

function openForRegion(client: S3Client, other: S3Client): S3Client {
  other.config.credentials = client.config.credentials;
  // The SDK's signer reads it before each request and corrects it after.
  Object.defineProperty(other.config, "systemClockOffset", {
    get: () => client.config.systemClockOffset,
    set: (offset: number) => {
      client.config.systemClockOffset = offset;
    },
  });
  return other;
}

/** The bucket's region in the header of an error's answer, which an answer to HEAD has too; null where there is none. */
export function regionIn(error: unknown): string | null {
  if (!(error instanceof Error) || !("$response" in error)) return null;
  const response = error.$response as { readonly headers?: Readonly<Record<string, string>> } | undefined;
  return response?.headers?.["x-amz-bucket-region"] ?? null;
}
