/** Function 2 between a queue and the table: what tests of events work with. */

import { CopyLogs } from "../../../../src/engines/aws/copy-logs.ts";
import { systemClock } from "../../../../src/stores/system-clock.ts";
import { type CopyLogsTable, startCopyLogsTable } from "./copy-logs-table.ts";
import { type EventQueue, startEventQueue } from "./event-queue.ts";
import { type QueuePoller, startPoller } from "./queue-poller.ts";
import { startThrottledTable, type TableFault, type ThrottledTable } from "./throttled-table.ts";

/** The id of the copying function's role that function 2 is told. */
export const COPIER_ROLE_ID = "AROACOPIER";

export interface EventWorld {
  readonly table: CopyLogsTable;
  readonly queue: EventQueue;
  readonly poller: QueuePoller;
  /** The table as function 1 and the service use it. */
  readonly logs: CopyLogs;
  /** Lines of function 2's log. */
  readonly log: Readonly<Record<string, unknown>>[];
  /** What function 2's requests to the table meet; null: nothing. */
  fault: TableFault | null;
  /** Milliseconds that function 2 has in each invocation. */
  remainingMs: number;
  close(): Promise<void>;
}

/** Starts all parts. Function 2 runs in this process, with its environment; it knows the given target buckets only. */
export async function startEventWorld(buckets: readonly string[]): Promise<EventWorld> {
  const table = await startCopyLogsTable();
  const queue = await startEventQueue({ visibilitySeconds: 1, mostReceives: 2 });
  const proxy: ThrottledTable = await startThrottledTable(table.endpoint, () => world.fault);
  Object.assign(process.env, {
    AWS_REGION: table.region,
    AWS_ACCESS_KEY_ID: table.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: table.credentials.secretAccessKey,
    AWS_ENDPOINT_URL_DYNAMODB: proxy.endpoint,
    TRANSHIP_COPY_LOGS: table.name,
    TRANSHIP_TARGET_BUCKETS: buckets.join(","),
    TRANSHIP_COPY_ROLE_ID: COPIER_ROLE_ID,
  });
  const log: EventWorld["log"] = [];
  const restore = takeLog(log);
  // It reads its environment when it is loaded, as on Lambda.
  const { handler } = await import("../../../../src/lambda/object-landed.ts");
  const poller = startPoller(queue, (event) =>
    handler(event, { getRemainingTimeInMillis: () => world.remainingMs }),
  );
  const world: EventWorld = {
    table,
    queue,
    poller,
    logs: new CopyLogs(table.client, table.name, { clock: systemClock, mostMs: 5_000 }),
    log,
    fault: null,
    remainingMs: 30_000,
    close: async () => {
      await poller.stop();
      restore();
      await queue.close();
      await proxy.close();
      await table.close();
    },
  };
  return world;
}

/** Takes the function's lines out of this process's standard output; gives what ends it. */
function takeLog(log: EventWorld["log"]): () => void {
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = (chunk: unknown, ...rest: never[]) => {
    if (typeof chunk !== "string" || !chunk.startsWith('{"event":')) return write(chunk as string, ...rest);
    log.push(JSON.parse(chunk));
    return true;
  };
  return () => {
    process.stdout.write = write;
  };
}
