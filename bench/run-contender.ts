/** One run of one contender on a fresh store: what it took, and what the store saw of it. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Contender } from "./contender.ts";
import { type ProcessCost, runMeasured } from "./run-measured.ts";
import {
  SOURCE,
  type StoreCounts,
  type StoreOptions,
  type StoreSample,
  startStore,
  TARGET,
} from "./store-process.ts";

export interface ContenderRun extends ProcessCost {
  readonly name: string;
  readonly concurrency: number;
  readonly objects: number;
  /** From the first copy that the store received to the last write, exact to 0.05 s: without start-up and closing. */
  readonly activeSeconds: number;
  /** Requests of every kind that the store received, rejected ones among them. */
  readonly requests: number;
  readonly counts: StoreCounts;
}

/** For a contender that hangs: rclone needs 75 s for 200,000 objects, on a slower machine several times as long. */
const TIMEOUT_MS = 600_000;

/** Runs `contender` at `concurrency`. Throws unless every object is where it should be, copied by the store itself. */
export async function runContender(
  contender: Contender,
  concurrency: number,
  storeOptions: StoreOptions,
): Promise<ContenderRun> {
  const { objects } = storeOptions;
  const directory = mkdtempSync(join(tmpdir(), "tranship-bench-"));
  const store = await startStore(storeOptions);
  try {
    const race = { storeUrl: store.url, concurrency, objects, directory };
    const cost = await runMeasured(await contender.prepare(race), TIMEOUT_MS);
    const counts = await store.stop();
    checkStore(contender.name, objects, counts);
    await contender.check?.(race);
    const requests = Object.values(counts.requests).reduce((sum, count) => sum + count, 0);
    const activeSeconds = activeSecondsOf(counts.timeline);
    return { ...cost, name: contender.name, concurrency, objects, activeSeconds, requests, counts };
  } finally {
    store.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}

function checkStore(name: string, objects: number, { requests, objects: left }: StoreCounts): void {
  if (left[SOURCE.bucket] !== 0 || left[TARGET.bucket] !== objects) {
    throw new Error(`${name} left the objects in the wrong place: ${JSON.stringify(left)}`);
  }
  const byHand = Object.keys(requests).filter((operation) =>
    /^(Put|Get)Object |^UploadPart /.test(operation),
  );
  if (byHand.length > 0) throw new Error(`${name} carried bytes itself: ${byHand.join(", ")}`);
}

/** Copies and deletions that the store had received. */
export function writesOf({ received }: StoreSample): number {
  let writes = 0;
  for (const [operation, count] of Object.entries(received)) {
    if (/^(CopyObject|Delete|UploadPartCopy|Complete|Create)/.test(operation)) writes += count;
  }
  return writes;
}

function activeSecondsOf(timeline: readonly StoreSample[]): number {
  const all = writesOf(timeline.at(-1) ?? { ms: 0, received: {}, slowDown: {}, granted: {} });
  const started = timeline.findLast((sample) => writesOf(sample) === 0) ?? timeline[0];
  const ended = timeline.find((sample) => writesOf(sample) === all);
  return ((ended?.ms ?? 0) - (started?.ms ?? 0)) / 1000;
}
