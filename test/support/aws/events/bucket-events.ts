/** A bucket's own events: Ceph's persistent notifications, pushed over HTTP and passed on as AWS would write them. */

import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { PutBucketNotificationConfigurationCommand, type S3Client } from "@aws-sdk/client-s3";
import { CreateTopicCommand, SNSClient } from "@aws-sdk/client-sns";
import type { S3Facts } from "../../servers/ceph.ts";
import { formEncoded } from "./s3-events.ts";

/** One event as Ceph writes it; the parts that the adapter reads. */
export interface CephRecord {
  readonly eventVersion: string;
  readonly eventSource: string;
  readonly eventName: string;
  readonly s3: {
    readonly bucket: { readonly name: string };
    readonly object: { readonly key: string; readonly size: number; readonly eTag: string };
  };
}

export interface BucketEvents {
  /** Records as Ceph sent them, repetitions included. */
  readonly received: CephRecord[];
  /** While true, Ceph is answered 503 and sends its events again later. */
  isBroken: boolean;
  close(): Promise<void>;
}

export interface BucketEventsOptions {
  readonly prefix: string;
  /** Takes one message for each record, e.g. `EventQueue.send`. Ceph repeats the event when it throws. */
  readonly deliver: (message: string) => Promise<void>;
}

/** Subscribes to copies and completed multipart uploads under `prefix` of `bucket`. */
export async function startBucketEvents(
  facts: S3Facts,
  client: S3Client,
  bucket: string,
  { prefix, deliver }: BucketEventsOptions,
): Promise<BucketEvents> {
  const received: CephRecord[] = [];
  const events: BucketEvents = { received, isBroken: false, close: () => closeServer(server) };
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    const { Records } = JSON.parse(await bodyOf(request)) as { Records: CephRecord[] };
    received.push(...Records);
    if (events.isBroken) return void response.writeHead(503).end();
    for (const record of Records) await deliver(awsMessage(record));
    response.writeHead(200).end();
  };
  const server = createServer((request, response) => {
    take(request, response).catch(() => response.writeHead(500).end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const TopicArn = await createTopic(facts, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await client.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket: bucket,
      NotificationConfiguration: {
        TopicConfigurations: [
          {
            Id: "tranship",
            TopicArn,
            Events: ["s3:ObjectCreated:Copy", "s3:ObjectCreated:CompleteMultipartUpload"],
            Filter: { Key: { FilterRules: [{ Name: "prefix", Value: prefix }] } },
          },
        ],
      },
    }),
  );
  return events;
}

/** The message of S3 for an event of Ceph, which writes keys as they are: the key is form-encoded, nothing else changes. */
export function awsMessage(record: CephRecord): string {
  const { s3 } = record;
  const object = { ...s3.object, key: formEncoded(s3.object.key) };
  return JSON.stringify({ Records: [{ ...record, s3: { ...s3, object } }] });
}

/** Ceph keeps events of a persistent topic in the cluster and sends them again until they are taken. */
async function createTopic(facts: S3Facts, pushEndpoint: string): Promise<string> {
  const { endpoint, accessKeyId, secretAccessKey } = facts;
  // The gateway's own region is called so, and it refuses topics of others.
  const sns = new SNSClient({
    endpoint,
    region: "default",
    credentials: { accessKeyId, secretAccessKey },
  });
  const { TopicArn = "" } = await sns.send(
    new CreateTopicCommand({
      Name: `tranship-${randomBytes(4).toString("hex")}`,
      Attributes: { "push-endpoint": pushEndpoint, persistent: "true" },
    }),
  );
  sns.destroy();
  return TopicArn;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
