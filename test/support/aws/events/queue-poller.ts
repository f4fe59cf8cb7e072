/**
 * An event source mapping's double: takes messages from a queue by the batch, gives them to a function, and deletes those
 * that its answer does not name. What it follows is listed in docs/aws/doubles-events.md.
 */

import { DeleteMessageBatchCommand, type Message } from "@aws-sdk/client-sqs";
import { type EventQueue, receiveSome } from "./event-queue.ts";

/** An invocation; throws where the function fails, is ended by time-out or answers an error. */
export type InvokeFunction = (event: { readonly Records: readonly SqsRecord[] }) => Promise<unknown>;

/** The part of a record that functions read, as Lambda gives it. */
export interface SqsRecord {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly messageAttributes: Readonly<Record<string, never>>;
  readonly eventSource: "aws:sqs";
  readonly awsRegion: string;
}

export interface QueuePoller {
  /** Invocations so far, with the messages given and those kept. */
  readonly invocations: { readonly given: readonly string[]; readonly kept: readonly string[] }[];
  /** Waits until the queue is empty: each message was deleted or is a dead letter. */
  drained(withinMs?: number): Promise<void>;
  /** Ends after the invocation under way. */
  stop(): Promise<void>;
}

/** SQS deletes ten messages a request at most. */
const MOST_DELETED = 10;

/** Starts to poll, one invocation at a time. `batchSize` is 1–10,000. */
export function startPoller(queue: EventQueue, invoke: InvokeFunction, { batchSize = 10 } = {}): QueuePoller {
  const invocations: QueuePoller["invocations"] = [];
  let isStopping = false;
  const run = async () => {
    while (!isStopping) {
      const messages = await receive(queue, batchSize);
      if (messages.length === 0) continue;
      const kept = await keptMessages(invoke, messages);
      await deleteMessages(
        queue,
        messages.filter(({ MessageId = "" }) => !kept.has(MessageId)),
      );
      invocations.push({ given: messages.map(({ MessageId = "" }) => MessageId), kept: [...kept] });
    }
  };
  const running = run();
  return {
    invocations,
    drained: async (withinMs = 20_000) => {
      const until = performance.now() + withinMs;
      while ((await queue.open()) > 0) {
        if (performance.now() > until)
          throw new Error(`${await queue.open()} messages are still in the queue`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    stop: async () => {
      isStopping = true;
      await running;
    },
  };
}

async function receive(queue: EventQueue, batchSize: number): Promise<Message[]> {
  const messages: Message[] = [];
  while (messages.length < batchSize) {
    const more = await receiveSome(queue.client, queue.url, {
      most: batchSize - messages.length,
      waitSeconds: messages.length === 0 ? 1 : 0,
    });
    if (more.length === 0) return messages;
    messages.push(...more);
  }
  return messages;
}

/** Ids of the messages that stay in the queue and are visible again after their time-out. */
async function keptMessages(invoke: InvokeFunction, messages: readonly Message[]): Promise<Set<string>> {
  const all = new Set(messages.map(({ MessageId = "" }) => MessageId));
  let answer: unknown;
  try {
    answer = await invoke({ Records: messages.map(recordOf) });
  } catch {
    return all;
  }
  if (answer === null || typeof answer !== "object") return new Set();
  const failures = (answer as { batchItemFailures?: unknown }).batchItemFailures ?? [];
  if (!Array.isArray(failures)) return all;
  const ids = failures.map((failure) => (failure as { itemIdentifier?: unknown } | null)?.itemIdentifier);
  // An unknown, empty or missing id makes the whole batch a failed one.
  return ids.every((id) => typeof id === "string" && all.has(id)) ? new Set(ids as string[]) : all;
}

function recordOf({ MessageId = "", ReceiptHandle = "", Body = "", Attributes = {} }: Message): SqsRecord {
  return {
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    attributes: Attributes as Record<string, string>,
    messageAttributes: {},
    eventSource: "aws:sqs",
    awsRegion: "eu-central-1",
  };
}

async function deleteMessages(queue: EventQueue, messages: readonly Message[]): Promise<void> {
  for (let start = 0; start < messages.length; start += MOST_DELETED) {
    const page = messages.slice(start, start + MOST_DELETED);
    await queue.client.send(
      new DeleteMessageBatchCommand({
        QueueUrl: queue.url,
        Entries: page.map(({ ReceiptHandle }, at) => ({ Id: String(at), ReceiptHandle })),
      }),
    );
  }
}
