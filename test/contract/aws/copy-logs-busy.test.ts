/** Copy_Logs while the table is throttled, breaks connections, loses answers and leaves items unprocessed. */

import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { CopyRecord } from "../../../src/engines/aws/copy-log-records.ts";
import { CopyLogs } from "../../../src/engines/aws/copy-logs.ts";
import { openTableClient } from "../../../src/engines/aws/table-client.ts";
import { systemClock } from "../../../src/stores/system-clock.ts";
import { type CopyLogsTable, startCopyLogsTable } from "../../support/aws/events/copy-logs-table.ts";
import {
  startThrottledTable,
  type TableFault,
  type ThrottledTable,
} from "../../support/aws/events/throttled-table.ts";

let table: CopyLogsTable;
let busy: ThrottledTable;
let client: DynamoDBClient;

beforeAll(async () => {
  table = await startCopyLogsTable();
});
afterAll(() => table.close());
afterEach(async () => {
  client.destroy();
  await busy.close();
});

async function busyLogs(faultOf: (operation: string, count: number) => TableFault | null, mostMs = 5_000) {
  busy = await startThrottledTable(table.endpoint, faultOf);
  client = openTableClient({ ...table, endpoint: busy.endpoint });
  return new CopyLogs(client, table.name, { clock: systemClock, mostMs, random: () => 0.1 });
}

function record(key: string): CopyRecord {
  const source = { bucket: "bucket-a", key, etag: "e1", size: 7 };
  return { job: "job-1", batch: 3, source, target: { bucket: "bucket-b", key } };
}

it("repeats throttled, failed, broken off and unanswered requests: all has been done, once", async () => {
  const faults: (TableFault | null)[] = ["throttled", "unavailable", "reset", "lost", null];
  const logs = await busyLogs((_operation, count) => faults[count % faults.length] ?? null);
  const { target } = record("k");
  expect(await logs.begin(record("k"))).toEqual({ kind: "recorded" });
  expect(await logs.flag({ ...target, etag: "e1", size: 7, isByCopier: false })).not.toBeNull();
  expect((await logs.flagged([target])).size).toBe(1);
  await logs.remove([target]);
  expect(await table.rows()).toEqual({});
  expect(busy.requests).toHaveLength(20);
});

it("asks again for what a batch left unprocessed, and for nothing else", async () => {
  const logs = await busyLogs((operation) => (operation.startsWith("Batch") ? "half" : null));
  const records = Array.from({ length: 30 }, (_, at) => record(`half/${at}`));
  for (const { target, ...rest } of records) {
    await logs.begin({ ...rest, target });
    await logs.flag({ ...target, etag: "e1", size: 7, isByCopier: false });
  }
  const places = records.map(({ target }) => target);
  expect((await logs.flagged(places)).size).toBe(30);
  await logs.remove(places);
  expect(await table.rows()).toEqual({});
  const count = (name: string) => busy.requests.filter(({ operation }) => operation === name).length;
  // 30, 15, 7, 3, 1 keys are left in turn; of 25 and 5 deletions 12, 6, 3, 1 and 2, 1.
  expect([count("BatchGetItem"), count("BatchWriteItem")]).toEqual([5, 8]);
});

it("gives up after its patience, saying why, and repeats nothing that cannot succeed", async () => {
  const logs = await busyLogs(() => "throttled", 300);
  const began = performance.now();
  await expect(logs.begin(record("k"))).rejects.toMatchObject({
    code: "engine_unavailable",
    message: expect.stringContaining("ProvisionedThroughputExceededException"),
  });
  expect(performance.now() - began).toBeLessThan(2_000);
  const requests = busy.requests.length;
  expect(requests).toBeGreaterThan(3);
});

it("takes a table that does not answer for one that will", async () => {
  const logs = await busyLogs(() => null, 100);
  await busy.close();
  await expect(logs.begin(record("k"))).rejects.toMatchObject({
    code: "engine_unavailable",
    message: expect.stringContaining("ECONNREFUSED"),
  });
});

it("stops within a pause when its caller does", async () => {
  const abort = new AbortController();
  const logs = await busyLogs(() => {
    abort.abort();
    return "throttled";
  });
  await expect(logs.begin(record("k"), abort.signal)).rejects.toMatchObject({ code: "stopped" });
  expect(busy.requests).toHaveLength(1);
});
