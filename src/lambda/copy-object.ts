/**
 * Function 1: copies the objects of a job of S3 Batch Operations. Region and credentials are those of the function; the
 * database whose rows it may update: see function-database.ts.
 */

import { S3Client } from "@aws-sdk/client-s3";
import { CopyLogs } from "../engines/aws/copy-logs.ts";
import { openTableClient } from "../engines/aws/table-client.ts";
import { systemClock } from "../stores/system-clock.ts";
import { answerEvent } from "./answer-event.ts";
import type { BatchAnswer } from "./batch-operations-event.ts";
import type { AfterCopy, CopyPorts, UpdatingJob } from "./copy-ports.ts";
import { FunctionRows, functionDatabase } from "./function-database.ts";
import { recordedCopies } from "./recorded-copies.ts";
import { S3CopyStore } from "./s3-copy-store.ts";

/** The part of Lambda's context that is used. */
interface FunctionContext {
  getRemainingTimeInMillis(): number;
}

// All that outlives an event: connections, signing keys, the shapes of tables. Nothing of an object is kept.
const client = new S3Client({
  // Repetitions are the function's: the SDK's retry quota is shared by all objects of an environment.
  maxAttempts: 1,
  requestChecksumCalculation: "WHEN_REQUIRED",
  responseChecksumValidation: "WHEN_REQUIRED",
  requestHandler: { connectionTimeout: 3_000 },
});

/** A throttled record is written again for this long; a task that has none then is repeated by S3 Batch Operations. */
const RECORD_PATIENCE_MS = 15_000;
const table = openTableClient();

const log: CopyPorts["log"] = (line) => void process.stdout.write(`${JSON.stringify(line)}\n`);
const database = functionDatabase(process.env);
const rows = database === null ? null : new FunctionRows(database, { clock: systemClock, log });

const ports: CopyPorts = {
  store: new S3CopyStore(client),
  clock: systemClock,
  random: Math.random,
  copyLog: (name) =>
    recordedCopies(new CopyLogs(table, name, { clock: systemClock, mostMs: RECORD_PATIENCE_MS })),
  log,
  ...(rows === null ? {} : { updates: (job) => afterCopies(rows, job) }),
};

function afterCopies(given: FunctionRows, job: UpdatingJob): AfterCopy {
  given.check(job);
  return { afterCopy: async ({ source }) => void (await given.update(job, [source.key])) };
}

export function handler(event: unknown, context: FunctionContext): Promise<BatchAnswer> {
  return answerEvent(ports, event, context.getRemainingTimeInMillis());
}
