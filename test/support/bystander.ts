/** What tests do and look at behind Tranship's back: both buckets, the rows, and the right moment. */

import type { JobState } from "../../src/domain/job-state.ts";
import type { JobParts } from "../../src/jobs/job-parts.ts";
import { Scheduler } from "../../src/jobs/run/scheduler.ts";
import type { JobView } from "../../src/jobs/view/job-view.ts";
import type { RequestMatch } from "../../src/sandbox-s3/faults/fault-rules.ts";
import type { S3Request } from "../../src/sandbox-s3/protocol/s3-request.ts";
import type { HandClock } from "./clocks/hand-clock.ts";
import type { Workbench } from "./worlds/workbench.ts";

/** Waits until `holds` is true; fails loudly after `mostMs`. */
export async function until(waits: () => boolean | Promise<boolean>, mostMs = 15_000): Promise<void> {
  const end = Date.now() + mostMs;
  while (!(await waits())) {
    if (Date.now() > end) throw new Error("what the test waits for did not come");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Awaits `work` while `clock` runs some twenty times as fast as the machine's. */
export function hurry<Result>(clock: HandClock, work: Promise<Result>): Promise<Result> {
  const quick = setInterval(() => clock.advance(500), 25);
  return work.finally(() => clearInterval(quick));
}

/** Waits until job `id` is in one of `states` in the ledger. */
export async function untilState(bench: Workbench, id: string, ...states: JobState[]): Promise<void> {
  await until(async () => states.includes((await bench.jobs.get(id)).state));
}

/** Calls `see` with the number of each request that matches, counted from 1, before the store acts on it. */
export function onRequest(
  { store }: Pick<Workbench, "store">,
  match: RequestMatch,
  see: (nth: number, request: S3Request) => void,
): void {
  let nth = 0;
  const when = (request: S3Request) => {
    nth += 1;
    see(nth, request);
    return false;
  };
  store.faults.add({ ...match, effect: { type: "latency", delay: 0 }, when });
}

/** The key an `image/…` key has at the target. */
export const moved = (key: string): string => `avatar/${key.slice("image/".length)}`;

/** The body of `key` in `bucket`, or null when there is none. */
export function bodyOf(bench: Workbench, bucket: string, key: string): string | null {
  return bench.store.getObject(bucket, key)?.read().toString() ?? null;
}

/**
 * Copies that the store did not refuse for a condition: beside those of objects it is asked, by a copy onto itself,
 * whether it keeps to conditions at all.
 */
export function copiesMade({ store }: Pick<Workbench, "store">): number {
  return store.requests.count("CopyObject") - store.requests.errors("PreconditionFailed");
}

/** The sums that always have to agree. */
export function sumsAgree({ objects }: JobView): boolean {
  return objects.planned === objects.moved + objects.skipped + objects.exceptions;
}

/** Runs job `id` by a scheduler of its own with some parts exchanged; resolves when that run has ended. */
export async function workWith(bench: Workbench, parts: Partial<JobParts>, id: string): Promise<void> {
  await new Scheduler({ ...bench.parts, ...parts }, "other", SILENT).runNow(id);
}

const SILENT = { info() {}, warn() {}, error() {} };
