/** Settles messages of the queue of S3 events: flags the records of the objects that they tell of. */

import { messageOf } from "../domain/errors.ts";
import type { LandedObject } from "../engines/aws/copy-log-records.ts";
import { readNotification } from "./s3-notification.ts";

/** Requests to the table at a time. */
const MOST_AT_ONCE = 32;

/** A message as an event source mapping gives it. */
export interface QueueMessage {
  readonly messageId: string;
  readonly body: string;
}

export interface LandingPorts {
  /** `CopyLogs.flag`. */
  flag(object: LandedObject): Promise<boolean>;
  /** Target buckets; objects of others are ignored. Null: the table decides, which costs a write. */
  readonly buckets: ReadonlySet<string> | null;
  /** Id of the role of the function that copies (`AROA…`); null: copies are recognised by their ETag only. */
  readonly copierRoleId: string | null;
  /** Writes one line of the function's log. */
  log(line: Readonly<Record<string, unknown>>): void;
}

/**
 * Gives the ids of the messages that are to be delivered again: those whose records could not be written, and S3 events that
 * are not understood, which so reach the dead-letter queue. All else is settled: test messages, what is no S3 event, other
 * buckets, objects without a record.
 */
export async function settleMessages(
  ports: LandingPorts,
  messages: readonly QueueMessage[],
): Promise<string[]> {
  const failed: string[] = [];
  const counts = { messages: messages.length, flagged: 0, unknown: 0 };
  const queue = messages.values();
  const settleNext = async () => {
    for (const message of queue) {
      try {
        await settle(ports, message, counts);
      } catch (error) {
        failed.push(message.messageId);
        ports.log({ event: "message_failed", messageId: message.messageId, reason: messageOf(error) });
      }
    }
  };
  await Promise.all(Array.from({ length: MOST_AT_ONCE }, settleNext));
  ports.log({ event: "messages_settled", ...counts, failed: failed.length });
  return failed;
}

/** Throws where the message is to be delivered again; its other records are written first. */
async function settle(
  ports: LandingPorts,
  { messageId, body }: QueueMessage,
  counts: { flagged: number; unknown: number },
): Promise<void> {
  const notification = readNotification(body);
  if (notification.kind === "ignored") {
    ports.log({ event: "message_ignored", messageId, reason: notification.reason });
    return;
  }
  for (const { principal, ...object } of notification.created) {
    if (ports.buckets !== null && !ports.buckets.has(object.bucket)) continue;
    const isByCopier = ports.copierRoleId !== null && principal.startsWith(`AWS:${ports.copierRoleId}:`);
    const isFlagged = await ports.flag({ ...object, isByCopier });
    counts[isFlagged ? "flagged" : "unknown"] += 1;
  }
  const [fault] = notification.faults;
  if (fault !== undefined) throw new RangeError(fault);
}
