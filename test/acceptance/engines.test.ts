/** The main job with each engine, on Ceph and MariaDB and through the executable. */

import { afterAll, beforeAll, expect, it } from "vitest";
import { type EngineRun, openEngineRun, untilEventsArrive } from "../support/worlds/engine-run.ts";

/** About a hundred name no object. */
const ROWS = 3_110;
const runs: EngineRun[] = [];
let told: EngineRun;

async function open(...[options]: Parameters<typeof openEngineRun>): Promise<EngineRun> {
  const run = await openEngineRun(options);
  runs.push(run);
  return run;
}

beforeAll(async () => {
  // First: Ceph looks for new topics every 30 s.
  told = await open({
    rows: ROWS,
    engine: "lambda-copy-log",
    hasEvents: true,
    variations: { tasksPerEvent: 2 },
  });
});
afterAll(async () => {
  for (const run of runs) await run.close();
});

/** Runs the job; all copies but few are the engine's, in one Batch Operations job. */
async function expectRun({ world, deployment }: EngineRun, engine: string): Promise<void> {
  await world.expectMoved(await world.run({ engine }));
  await world.expectKept(50);
  const jobs = deployment?.control.jobs.map(({ status, counts }) => ({ status, ...counts }));
  const total = world.objects.size - 3;
  expect(jobs).toEqual([{ status: "Complete", total, succeeded: total, failed: 0 }]);
}

it("moves everything with the engine `lambda`", async () => {
  const run = await open({ rows: ROWS, engine: "lambda", variations: { tasksPerEvent: 10, space: "+" } });
  await expectRun(run, "lambda");
}, 120_000);

it("moves everything with the engine `lambda-copy-log` when all events are lost", async () => {
  const run = await open({ rows: ROWS, engine: "lambda-copy-log", variations: { tasksPerEvent: 10 } });
  await expectRun(run, "lambda-copy-log");
  expect(await run.deployment?.events?.table.rows()).toEqual({});
}, 120_000);

it("moves everything with the engine `lambda-copy-log` and the bucket's own events", async () => {
  await untilEventsArrive(told);
  await expectRun(told, "lambda-copy-log");
  const { queue, poller, table } = told.deployment!.events!;
  await poller.drained();
  const keys = new Set(told.events?.received.map(({ s3 }) => s3.object.key));
  expect(keys.size).toBeGreaterThanOrEqual(told.world.objects.size - 3);
  // Events that came after the records were removed have brought none back.
  expect(await table.rows()).toEqual({});
  expect(await queue.deadLetters()).toEqual([]);
}, 120_000);
