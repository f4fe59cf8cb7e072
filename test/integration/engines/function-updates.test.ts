/** Whole jobs whose functions update rows before the service does: the end state is exact, and rows count once. */

import type { S3Client } from "@aws-sdk/client-s3";
import { S3ControlClient } from "@aws-sdk/client-s3-control";
import type { RowDataPacket } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { rowUpdatesOf } from "../../../src/domain/engines/row-updates.ts";
import type { JobSpec } from "../../../src/domain/job-spec.ts";
import { CopyLogEngine } from "../../../src/engines/aws/copy-log-engine.ts";
import { CopyLogs } from "../../../src/engines/aws/copy-logs.ts";
import { LambdaEngine } from "../../../src/engines/aws/lambda-engine.ts";
import type { ConsignmentEngine } from "../../../src/ports/consignment-engine.ts";
import { systemClock } from "../../../src/stores/system-clock.ts";
import { SETTINGS } from "../../support/aws/consignment-world.ts";
import { type CopyLogsTable, startCopyLogsTable } from "../../support/aws/events/copy-logs-table.ts";
import type { EventObject } from "../../support/aws/events/s3-events.ts";
import { RowFunctions } from "../../support/aws/row-functions.ts";
import { type S3Control, startS3Control } from "../../support/aws/s3-control.ts";
import { AWS_SECTION } from "../../support/aws-settings.ts";
import { moved, sumsAgree } from "../../support/bystander.ts";
import { connectTo } from "../../support/sandbox-client.ts";
import { app, database, databaseForEach } from "../../support/servers/own-database.ts";
import {
  fillStore,
  IMAGES,
  imageKeys,
  openWorkbench,
  WORKBENCH_KEYS,
  type Workbench,
} from "../../support/worlds/workbench.ts";

const KEYS = imageKeys(1_000);
const ENDPOINTS = { s3control: "http://127.0.0.1:9", dynamodb: "http://127.0.0.1:9" };

databaseForEach();
let bench: Workbench;
let table: CopyLogsTable;
let s3: S3Client;
let control: S3Control;
let functions: RowFunctions;
/** Events on their way to function 2. */
let landing: Promise<void>[];

beforeAll(async () => {
  table = await startCopyLogsTable();
});
afterAll(() => table.close());

beforeEach(async () => {
  bench = await openWorkbench({
    appUrl: database.url,
    store: { buckets: [{ name: "bucket-a" }, { name: "bucket-b" }, { name: "ops" }] },
    connect: { aws: { ...AWS_SECTION, endpoints: ENDPOINTS } },
    engines: {
      lambda: async ({ spec }) => engineOf(spec),
      "lambda-copy-log": async ({ spec }) => engineOf(spec),
    },
  });
  await app.query(
    `CREATE TABLE images (id INT AUTO_INCREMENT PRIMARY KEY, path VARCHAR(300) NOT NULL, owner VARCHAR(20) NOT NULL DEFAULT 'app',
       legacy INT NOT NULL DEFAULT 1, KEY (path))`,
  );
  fillStore(bench.store, "bucket-a", KEYS);
  await app.query("INSERT INTO images (path) VALUES ?", [KEYS.map((path) => [path])]);
  s3 = connectTo(bench.store, { credentials: WORKBENCH_KEYS });
  functions = new RowFunctions({ s3, table, database: "app", databaseUrl: database.url });
  landing = [];
  let count = 0;
  control = await startS3Control({
    accountId: AWS_SECTION.accountId,
    s3,
    variations: { duplicates: 0.05, tasksPerEvent: 7 },
    // Every fourth invocation has too little time left for a statement.
    invoke: (event) => {
      count += 1;
      return functions.copy(event, count % 4 === 0 ? 9_000 : 60_000);
    },
  });
});
afterEach(async () => {
  await control.close();
  await functions.close();
  s3.destroy();
  await bench.close();
});

function engineOf(spec: JobSpec): ConsignmentEngine {
  const hasLog = spec.engine === "lambda-copy-log";
  const updates = rowUpdatesOf(spec);
  if (updates === null) throw new Error("the functions are to update rows");
  const terms = {
    ...{ sourceBucket: spec.source.bucket, sourcePrefix: spec.source.prefix },
    ...{ targetBucket: spec.target.bucket, targetPrefix: spec.target.prefix },
    copyLogs: hasLog ? table.name : null,
  };
  const engine = new LambdaEngine({
    control: new S3ControlClient({ ...control.client, credentials: WORKBENCH_KEYS }),
    ...{ s3, clock: systemClock },
    settings: { ...SETTINGS, accountId: AWS_SECTION.accountId, functionTimeoutMs: 300 },
    terms: { ...terms, updates: hasLog ? null : updates },
  });
  if (!hasLog) return engine;
  const logs = new CopyLogs(table.client, table.name, { clock: systemClock, mostMs: 5_000 });
  return new CopyLogEngine(engine, logs, { logs, terms: { ...terms, updates } });
}

async function rows(): Promise<{ path: string; legacy: number }[]> {
  const [found] = await app.query<RowDataPacket[]>("SELECT path, legacy FROM images ORDER BY id");
  return found.map(({ path, legacy }) => ({ path, legacy }));
}

/** Function 2 is given 25 events at a time; every tenth is lost, every seventh comes twice, and the last ones never come. */
function landEvents(): (object: EventObject) => void {
  let copied = 0;
  let events: EventObject[] = [];
  return (object) => {
    copied += 1;
    if (copied % 10 !== 0) events.push(...(copied % 7 === 0 ? [object, object] : [object]));
    if (copied % 25 !== 0) return;
    landing.push(functions.land(events));
    events = [];
  };
}

const ENGINES = ["lambda", "lambda-copy-log"];
const submit = (engine: string, reference: object) =>
  bench.submit({
    ...{ engine, lambda: { updates: "function" }, batchSize: 100 },
    references: [{ ...IMAGES, where: { owner: "app" }, ...reference }],
  });

it.each(ENGINES)("%s: all rows are moved, and counted whoever has changed them", async (engine) => {
  if (engine === "lambda-copy-log") functions.onCopied = landEvents();
  const id = await submit(engine, { set: { legacy: 0 } });
  const job = await bench.work(id);
  await Promise.all(landing);
  expect(job).toMatchObject({ state: "completed", objects: { moved: KEYS.length, exceptions: 0 } });
  expect(sumsAgree(job)).toBe(true);
  expect(await rows()).toEqual(KEYS.map((key) => ({ path: moved(key), legacy: 0 })));
  expect(bench.store.listKeys("bucket-a")).toEqual([]);
  expect(bench.store.listKeys("bucket-b")).toEqual(KEYS.map(moved).sort());
  // Both have had a part in it.
  expect(functions.rows).toBeGreaterThan(KEYS.length / 2);
  expect(functions.rows).toBeLessThan(KEYS.length);
  expect(job.rows.updated).toBe(KEYS.length);
});

it.each(ENGINES)("%s: what the application does to rows behind the copies has its due", async (engine) => {
  const [changed = "", gone = "", added = "", foreign = ""] = KEYS.slice(5);
  const acts: Record<string, string> = {
    [changed]: "UPDATE images SET path = 'elsewhere' WHERE path = ?",
    [gone]: "DELETE FROM images WHERE path = ?",
    [added]: "INSERT INTO images (path) VALUES (?)",
    [foreign]: "UPDATE images SET owner = 'another' WHERE path = ?",
  };
  const land = engine === "lambda-copy-log" ? landEvents() : () => {};
  functions.onCopied = async (object) => {
    const key = object.key.replace("avatar/", "image/");
    const act = acts[key];
    if (act !== undefined) await app.query(act, [key]);
    land(object);
  };
  const id = await submit(engine, {});
  const job = await bench.work(id);
  await Promise.all(landing);
  expect(await bench.exceptions(id)).toEqual({ [changed]: "row_changed", [foreign]: "still_referenced" });
  expect(bench.store.listKeys("bucket-a")).toEqual([changed, foreign]);
  const expected = KEYS.filter((key) => key !== gone).map((key) => {
    if (key === changed) return "elsewhere";
    return key === foreign ? foreign : moved(key);
  });
  expect((await rows()).map(({ path }) => path)).toEqual([...expected, moved(added)]);
  expect(job.objects).toMatchObject({ exceptions: 2, moved: KEYS.length - 2 });
});
