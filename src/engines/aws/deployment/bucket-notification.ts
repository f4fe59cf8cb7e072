/** Reads and writes a bucket's notification configuration as the text that S3 holds: the SDK would drop what it does not know. */

import {
  GetBucketNotificationConfigurationCommand,
  PutBucketNotificationConfigurationCommand,
  type S3Client,
} from "@aws-sdk/client-s3";

/** The bucket must be the account's: with another owner S3 refuses. */
export interface OwnedBucket {
  readonly bucket: string;
  readonly accountId: string;
}

/** The parts of the SDK's HTTP messages that are used. */
interface HttpAnswer {
  readonly response: { body: AsyncIterable<Uint8Array> | Uint8Array };
}
interface HttpRequest {
  body: string;
  readonly headers: Record<string, string>;
}

/** The bucket's notification configuration, byte for byte. */
export async function readConfiguration(
  client: S3Client,
  { bucket, accountId }: OwnedBucket,
): Promise<string> {
  const command = new GetBucketNotificationConfigurationCommand({
    Bucket: bucket,
    ExpectedBucketOwner: accountId,
  });
  let text = "";
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { response } = result as unknown as HttpAnswer;
      const bytes = await collected(response.body);
      text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
      response.body = bytes;
      return result;
    },
    // The last on the way to the wire: what it gives is what the SDK reads.
    { step: "deserialize", priority: "low", name: "readConfigurationText" },
  );
  await client.send(command);
  return text;
}

/** Replaces the bucket's notification configuration by `text`; S3 sends a test message to each destination. */
export async function writeConfiguration(
  client: S3Client,
  { bucket, accountId }: OwnedBucket,
  text: string,
): Promise<void> {
  const command = new PutBucketNotificationConfigurationCommand({
    Bucket: bucket,
    ExpectedBucketOwner: accountId,
    NotificationConfiguration: {},
  });
  command.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as HttpRequest;
      request.body = text;
      return next(args);
    },
    // Before length, checksum and signature are computed.
    { step: "build", priority: "high", name: "writeConfigurationText" },
  );
  await client.send(command);
}

async function collected(body: AsyncIterable<Uint8Array> | Uint8Array): Promise<Uint8Array> {
  if (body instanceof Uint8Array) return body;
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
