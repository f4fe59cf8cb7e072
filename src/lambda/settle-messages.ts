/** Settles messages of the queue of S3 events: flags the records of the objects that they tell of. */

import { messageOf } from "../domain/errors.ts";
import type { FlaggedRecord, LandedObject } from "../engines/aws/copy-log-records.ts";
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
  flag(object: LandedObject): Promise<FlaggedRecord | null>;
  /** Updates the rows of flagged objects and gives their number; never throws. Absent: the function updates none. */
  updateRows?(records: readonly FlaggedRecord[]): Promise<number>;
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
  const counts = { messages: messages.length, unknown: 0 };
  const flagged: FlaggedRecord[] = [];
  const queue = messages.values();
  const settleNext = async () => {
    for (const message of queue) {
      try {
        const unknown = await settle(ports, message, flagged);
        counts.unknown += unknown;
      } catch (error) {
        failed.push(message.messageId);
        ports.log({ event: "message_failed", messageId: message.messageId, reason: messageOf(error) });
      }
    }
  };
  await Promise.all(Array.from({ length: MOST_AT_ONCE }, settleNext));
  const rows = flagged.length === 0 ? 0 : ((await ports.updateRows?.(flagged)) ?? 0);
  const settled = { ...counts, flagged: flagged.length, failed: failed.length };
  ports.log({ event: "messages_settled", ...settled, ...(ports.updateRows && { rows }) });
  return failed;
}

/**
 * Adds the records that are flagged to `flagged`, and gives the number of objects without one. Throws where the message is to
 * be delivered again; its other records are written first.
 */
async function settle(
  ports: LandingPorts,
  { messageId, body }: QueueMessage,
  flagged: FlaggedRecord[],
): Promise<number> {
  const notification = readNotification(body);
  if (notification.kind === "ignored") {
    ports.log({ event: "message_ignored", messageId, reason: notification.reason });
    return 0;
  }
  let unknown = 0;
  for (const { principal, ...object } of notification.created) {
    if (ports.buckets !== null && !ports.buckets.has(object.bucket)) continue;
    const isByCopier = ports.copierRoleId !== null && principal.startsWith(`AWS:${ports.copierRoleId}:`);
    const record = await ports.flag({ ...object, isByCopier });
    if (record === null) unknown += 1;
    else flagged.push(record);
  }
  const [fault] = notification.faults;
  if (fault !== undefined) throw new RangeError(fault);
  return unknown;
}
