/** Runs of contenders, each on a fresh store: what one took, and what the store saw of it. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { figure } from "../figures.ts";
import type { Effort } from "../section.ts";
import {
  assertMoved,
  requestsIn,
  SOURCE,
  type StoreCounts,
  type StoreSample,
  startStore,
  TARGET,
} from "../worlds/store-process.ts";
import type { Contender } from "./contender.ts";
import { type ProcessCost, runMeasured } from "./run-measured.ts";

/** What is to be moved, how much of it at once, and how the store behaves. */
export interface ContenderLoad {
  readonly concurrency: number;
  /** Of the fastest contenders; slow ones move their share of it. */
  readonly objects: number;
  readonly bytes: number;
  /** As if the objects had been uploaded in parts of this size. */
  readonly partBytes?: number;
  /** Writes a second that each bucket takes. */
  readonly writeBudget?: number;
  /** Speed of each single copy; copies take no time unless given. */
  readonly copyBytesPerSecond?: number;
}

export interface ContenderRun extends ProcessCost {
  readonly objects: number;
  /** From the first copy that the store received to the last write, exact to 0.05 s: without start-up and closing. */
  readonly activeSeconds: number;
  /** Requests of every kind that the store received, rejected ones among them. */
  readonly requests: number;
  /** With a timeline, a sample every 50 ms. */
  readonly counts: StoreCounts;
}

/** Before each answer of the store. */
export const LATENCY_MS = 20;
/** For a contender that hangs: rclone needs 75 s for 200,000 objects, on a slower machine several times as long. */
const TIMEOUT_MS = 600_000;
const SAMPLE_EVERY_MS = 50;

/**
 * Runs every contender `rounds` times: in turn, and in the opposite order in every second round, so that a disturbance
 * of the machine does not fall on one of them alone. Throws unless each moved everything.
 */
export async function runInTurn(
  contenders: readonly Contender[],
  load: ContenderLoad,
  rounds: number,
  effort: Effort,
): Promise<ReadonlyMap<Contender, readonly ContenderRun[]>> {
  const runs = new Map(contenders.map((contender) => [contender, [] as ContenderRun[]]));
  for (let round = 0; round < rounds; round++) {
    for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) {
      const run = await runContender(effort.dist, contender, load);
      runs.get(contender)?.push(run);
      const { objects, seconds, cpuMs, requests } = run;
      effort.tell(
        `${contender.name}, concurrency ${load.concurrency}: ${objects} objects in ${figure(seconds)} s, ${figure(cpuMs / objects)} ms CPU and ${figure(requests / objects)} requests each`,
      );
    }
  }
  return runs;
}

async function runContender(dist: string, contender: Contender, load: ContenderLoad): Promise<ContenderRun> {
  const { concurrency, bytes, partBytes } = load;
  const objects = Math.min(load.objects, Math.max(20, Math.round(load.objects * contender.share)));
  const seed = [`${SOURCE.bucket}/${SOURCE.prefix}`, objects, bytes, ...(partBytes ? [partBytes] : [])];
  const directory = mkdtempSync(join(tmpdir(), "tranship-bench-"));
  const store = await startStore(dist, {
    buckets: `${SOURCE.bucket},${TARGET.bucket}`,
    seed: seed.join(":"),
    "latency-ms": LATENCY_MS,
    "write-budget": load.writeBudget,
    "copy-bytes-per-second": load.copyBytesPerSecond,
    "timeline-ms": SAMPLE_EVERY_MS,
  });
  try {
    const race = { storeUrl: store.url, concurrency, objects, directory };
    const cost = await runMeasured(await contender.prepare(race), TIMEOUT_MS);
    const counts = await store.stop();
    assertMoved(contender.name, counts, objects);
    assertCopiedByStore(contender.name, counts);
    await contender.check?.(race);
    const activeSeconds = activeSecondsOf(counts.timeline);
    return { ...cost, objects, activeSeconds, requests: requestsIn(counts), counts };
  } finally {
    store.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}

function assertCopiedByStore(name: string, { requests }: StoreCounts): void {
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
