/** `runDemo`: a whole relocation on an embedded S3 server and SQLite through the real service, and an independent check of its result. */

import { compose } from "../compose.ts";
import { readConfig } from "../config.ts";
import type { JobView } from "../jobs/view/job-view.ts";
import { checkWorld, type DemoCheck } from "./demo-check.ts";
import { DEMO_JOB, relocate } from "./demo-relocation.ts";
import { bystanderRows, demoRowCount, MOVED_BEFORE } from "./demo-rows.ts";
import { BYSTANDER_KEYS, type DemoWorld, makeWorld, SOURCE_BUCKET, TARGET_BUCKET } from "./demo-world.ts";

export interface DemoOptions {
  /** How many objects to move, ≥ 1. */
  readonly objects: number;
  /** Keep the directory with database, ledger and configuration. */
  readonly keep: boolean;
  readonly signal: AbortSignal;
  /** Takes the output, line by line. */
  tell(line: string): void;
  onProgress(view: JobView): void;
  /** Called when the relocation has ended and the check begins. */
  onMoved(): void;
}

export interface DemoResult {
  readonly view: JobView;
  readonly check: DemoCheck;
}

/** Runs the demo. Rejects when `signal` aborts, and on failures outside the relocation. */
export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const { objects, keep, signal, tell } = options;
  tell(`Making ${count(objects)} objects and the rows that name them …`);
  const world = await makeWorld(objects, signal);
  try {
    tellWorld(world, options);
    const view = await serveAndRelocate(world, options);
    options.onMoved();
    tell(`The job is ${view.state} after ${view.seconds.toFixed(1)} s. Comparing with what was made …`);
    const check = withOutcome(view, objects, checkWorld(world, objects));
    tellCheck(check, options);
    return { view, check };
  } finally {
    await world.close(keep);
    if (keep) tell(`Kept: ${world.directory}`);
  }
}

/** Runs the service as `tranship serve` does, until the job has ended. */
async function serveAndRelocate(world: DemoWorld, options: DemoOptions): Promise<JobView> {
  const { signal, tell, onProgress } = options;
  const config = readConfig(world.configFile, {});
  const service = await compose(config, { works: true });
  try {
    const server = await service.server();
    try {
      const url = await server.listen(config.listen);
      service.startScheduler();
      tell(`The service listens at ${url}; POST /jobs ${JSON.stringify(DEMO_JOB)}`);
      return await relocate({ url, token: world.token, signal, onProgress });
    } finally {
      await server.close();
    }
  } finally {
    await service.close();
  }
}

/** Differences between the job's own counts and what the check found. */
function withOutcome(view: JobView, objects: number, check: DemoCheck): DemoCheck {
  const wrong: string[] = [];
  const expect = (what: string, is: string | number, must: string | number) => {
    if (is !== must) wrong.push(`the job says ${what} ${is} instead of ${must}`);
  };
  expect("state", view.state, "completed");
  expect("objects moved", view.objects.moved, objects);
  expect("exceptions", view.objects.exceptions, 0);
  expect("rows updated", view.rows.updated, demoRowCount(objects));
  return {
    ok: check.ok && wrong.length === 0,
    differences: [...wrong, ...check.differences],
    found: check.found + wrong.length,
  };
}

function tellWorld(world: DemoWorld, { objects, tell }: DemoOptions): void {
  const rows = demoRowCount(objects);
  const beside = MOVED_BEFORE + BYSTANDER_KEYS.length;
  tell(`  S3 server   ${world.store.url}, buckets ${SOURCE_BUCKET} and ${TARGET_BUCKET}`);
  tell(`  objects     ${count(objects)} under image/, and ${beside} others that must not change`);
  tell(
    `  rows        ${count(rows)} that name them, and ${bystanderRows(0).length} others that must not change`,
  );
}

function tellCheck(check: DemoCheck, { objects, tell }: DemoOptions): void {
  if (check.ok) {
    const rows = count(demoRowCount(objects));
    tell(
      `proved: ${count(objects)} of ${count(objects)} objects are in ${TARGET_BUCKET} under avatar/, equal in bytes, type and metadata;`,
    );
    tell(`proved: none of them is left in ${SOURCE_BUCKET}, and the objects beside them are as they were;`);
    tell(`proved: ${rows} of ${rows} rows name the new keys with legacy 0, and no other row changed.`);
    return;
  }
  tell(`NOT proved: ${count(check.found)} differences`);
  for (const difference of check.differences) tell(`  ${difference}`);
  const untold = check.found - check.differences.length;
  if (untold > 0) tell(`  … and ${count(untold)} more`);
}

function count(number: number): string {
  return number.toLocaleString("en-US");
}
