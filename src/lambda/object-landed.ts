/**
 * Function 2 of the engine `lambda-copy-log`: takes S3 events from a queue and flags the records of Copy_Logs. Region and
 * credentials are those of the function. Environment:
 *
 * | variable                | meaning                                                                                       |
 * |-------------------------|-----------------------------------------------------------------------------------------------|
 * | TRANSHIP_COPY_LOGS      | name of the table; `Copy_Logs` unless given                                                   |
 * | TRANSHIP_TARGET_BUCKETS | names of the target buckets, separated by commas; unless given, objects of any are looked for |
 * | TRANSHIP_COPY_ROLE_ID   | id (`AROA…`) of the copying function's role; unless given, ETags alone prove a copy           |
 * | TRANSHIP_DATABASE…      | the database whose rows it updates, see function-database.ts; unless given, it updates none   |
 */

import type { FlaggedRecord } from "../engines/aws/copy-log-records.ts";
import { CopyLogs } from "../engines/aws/copy-logs.ts";
import { openTableClient } from "../engines/aws/table-client.ts";
import { systemClock } from "../stores/system-clock.ts";
import { FunctionRows, functionDatabase } from "./function-database.ts";
import { updateLandedRows } from "./landed-rows.ts";
import { STATEMENT_MS } from "./row-updater.ts";
import { type LandingPorts, type QueueMessage, settleMessages } from "./settle-messages.ts";

/** A throttled write is repeated for this long; then the message is delivered again. */
const MOST_PATIENCE_MS = 20_000;
/** Kept for the answer, before the function is ended. */
const RESERVED_MS = 2_000;

/** The part of Lambda's context that is used. */
interface FunctionContext {
  getRemainingTimeInMillis(): number;
}

const { TRANSHIP_COPY_LOGS, TRANSHIP_TARGET_BUCKETS, TRANSHIP_COPY_ROLE_ID } = process.env;
const buckets = TRANSHIP_TARGET_BUCKETS ? new Set(TRANSHIP_TARGET_BUCKETS.split(",")) : null;
const logs = new CopyLogs(openTableClient(), TRANSHIP_COPY_LOGS || "Copy_Logs", {
  clock: systemClock,
  mostMs: MOST_PATIENCE_MS,
});

const log: LandingPorts["log"] = (line) => void process.stdout.write(`${JSON.stringify(line)}\n`);
const database = functionDatabase(process.env);
const rows = database === null ? null : new FunctionRows(database, { clock: systemClock, log });

/** Answers with the messages that failed (`ReportBatchItemFailures`). */
export async function handler(
  event: { readonly Records: readonly QueueMessage[] },
  context: FunctionContext,
): Promise<{ batchItemFailures: { itemIdentifier: string }[] }> {
  const signal = AbortSignal.timeout(Math.max(0, context.getRemainingTimeInMillis() - RESERVED_MS));
  const hasTime = () => context.getRemainingTimeInMillis() >= STATEMENT_MS;
  const ports: LandingPorts = {
    flag: (object) => logs.flag(object, signal),
    buckets,
    copierRoleId: TRANSHIP_COPY_ROLE_ID || null,
    log,
    ...(rows === null ? {} : { updateRows: (records) => updateRows(rows, records, signal, hasTime) }),
  };
  const failed = await settleMessages(ports, event.Records);
  return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
}

function updateRows(
  given: FunctionRows,
  records: readonly FlaggedRecord[],
  signal: AbortSignal,
  hasTime: () => boolean,
): Promise<number> {
  const termsOf = (token: string) => logs.termsOf(token, signal);
  const update: FunctionRows["update"] = (job, keys) => given.update(job, keys);
  return updateLandedRows({ logs: { termsOf }, update, clock: systemClock, log }, records, hasTime);
}
