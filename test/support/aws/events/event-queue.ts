/** A queue with a dead-letter queue on fauxqs, an SQS server in the tests' own process that is used over HTTP. */

import type { AddressInfo } from "node:net";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  type Message,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { buildApp } from "fauxqs";

const REGION = "eu-central-1";
/** SQS gives ten messages a request at most. */
const MOST_RECEIVED = 10;

export interface EventQueue {
  readonly url: string;
  readonly client: SQSClient;
  /** Sends one message, as S3 does. */
  send(body: string): Promise<void>;
  /** Messages that wait, are delayed or are being processed. */
  open(): Promise<number>;
  /** Bodies in the dead-letter queue, which is emptied. */
  deadLetters(): Promise<string[]>;
  /** Empties both queues. */
  purge(): Promise<void>;
  close(): Promise<void>;
}

/** Starts the server with both queues. After `mostReceives` deliveries without deletion a message is a dead letter. */
export async function startEventQueue({ visibilitySeconds = 1, mostReceives = 3 } = {}): Promise<EventQueue> {
  // Its own way to start listens on all addresses of the machine.
  const server = buildApp({ logger: false, defaultRegion: REGION });
  await server.listen({ port: 0, host: "127.0.0.1" });
  const { port } = server.server.address() as AddressInfo;
  const client = new SQSClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: REGION,
    credentials: { accessKeyId: "AKIAQUEUE", secretAccessKey: "secret" },
  });
  const deadUrl = await createQueue(client, "tranship-dead-letters", {});
  const deadLetterTargetArn = (await attributesOf(client, deadUrl)).QueueArn;
  const url = await createQueue(client, "tranship-events", {
    VisibilityTimeout: String(visibilitySeconds),
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: mostReceives }),
  });
  return {
    url,
    client,
    send: async (MessageBody) => {
      await client.send(new SendMessageCommand({ QueueUrl: url, MessageBody }));
    },
    open: () => openMessages(client, url),
    deadLetters: async () => {
      const bodies: string[] = [];
      for (;;) {
        const messages = await receiveSome(client, deadUrl, { most: MOST_RECEIVED, waitSeconds: 0 });
        if (messages.length === 0) return bodies;
        bodies.push(...messages.map(({ Body = "" }) => Body));
      }
    },
    purge: async () => {
      for (const QueueUrl of [url, deadUrl]) await client.send(new PurgeQueueCommand({ QueueUrl }));
    },
    close: async () => {
      client.destroy();
      await server.close();
    },
  };
}

/** Receives up to `most` messages in one request, ten at most; none after `waitSeconds`. */
export async function receiveSome(
  client: SQSClient,
  QueueUrl: string,
  { most, waitSeconds }: { readonly most: number; readonly waitSeconds: number },
): Promise<Message[]> {
  const { Messages = [] } = await client.send(
    new ReceiveMessageCommand({
      QueueUrl,
      MaxNumberOfMessages: Math.min(MOST_RECEIVED, most),
      WaitTimeSeconds: waitSeconds,
      MessageSystemAttributeNames: ["All"],
    }),
  );
  return Messages;
}

async function createQueue(client: SQSClient, QueueName: string, Attributes: Record<string, string>) {
  const { QueueUrl = "" } = await client.send(new CreateQueueCommand({ QueueName, Attributes }));
  return QueueUrl;
}

async function attributesOf(client: SQSClient, QueueUrl: string) {
  const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] });
  return (await client.send(command)).Attributes ?? {};
}

async function openMessages(client: SQSClient, url: string): Promise<number> {
  const attributes = await attributesOf(client, url);
  return (
    Number(attributes.ApproximateNumberOfMessages) +
    Number(attributes.ApproximateNumberOfMessagesDelayed) +
    Number(attributes.ApproximateNumberOfMessagesNotVisible)
  );
}
