/** A store that takes so many writes a second for each bucket: how much of it is used, how much is sent in vain. */

import type { Contender } from "./contender.ts";
import { medianOf } from "./latencies.ts";
import { type ContenderRun, runContender, writesOf } from "./run-contender.ts";
import { type StoreSample, TARGET } from "./store-process.ts";

export interface ThrottledOptions {
  readonly contenders: readonly Contender[];
  /** Of the fastest contenders; slow ones move their share of it. */
  readonly objects: number;
  readonly writesPerSecond: number;
  readonly latencyMs: number;
  readonly concurrency: number;
  readonly rounds: number;
  onRun?(run: ContenderRun): void;
}

/** Medians over the rounds of one contender. */
export interface ThrottledRow {
  readonly name: string;
  readonly objects: number;
  readonly rounds: number;
  readonly seconds: number;
  /** Copies that the target bucket took, as a share of what it would have taken, from the first copy to the last. */
  readonly shareUsed: number;
  /** The same without the first five seconds. */
  readonly shareUsedLater: number;
  /** Writes answered with 503, as a share of the writes that the store received, from the start. */
  readonly shareRejected: number;
  /** The same without the first five seconds. */
  readonly shareRejectedLater: number;
  readonly requestsPerObject: number;
}

/** Until a contender may have found the rate. */
const RUN_UP_MS = 5000;

/** Measures every contender `rounds` times, in turn; throws when one of them gives up or loses an object. */
export async function measureThrottled(options: ThrottledOptions): Promise<ThrottledRow[]> {
  const { contenders, objects, writesPerSecond, latencyMs, concurrency } = options;
  const runs = new Map(contenders.map((contender) => [contender, [] as ContenderRun[]]));
  for (let round = 0; round < options.rounds; round++) {
    for (const contender of contenders) {
      const share = Math.round(objects * contender.share);
      const store = { objects: share, bytes: 1024, latencyMs, writeBudget: writesPerSecond };
      const run = await runContender(contender, concurrency, store);
      runs.get(contender)?.push(run);
      options.onRun?.(run);
    }
  }
  return [...runs].map(([contender, done]) => rowOf(contender, done, options));
}

function rowOf(
  contender: Contender,
  runs: readonly ContenderRun[],
  { writesPerSecond }: ThrottledOptions,
): ThrottledRow {
  const shares = runs.map((run) => sharesOf(run.counts.timeline, writesPerSecond));
  const middle = (name: keyof Shares) => medianOf(shares.map((share) => share[name]));
  return {
    name: contender.name,
    objects: runs[0]?.objects ?? 0,
    rounds: runs.length,
    seconds: medianOf(runs.map((run) => run.seconds)),
    shareUsed: middle("used"),
    shareUsedLater: middle("usedLater"),
    shareRejected: middle("rejected"),
    shareRejectedLater: middle("rejectedLater"),
    requestsPerObject: medianOf(runs.map((run) => run.requests / run.objects)),
  };
}

interface Shares {
  readonly used: number;
  readonly usedLater: number;
  readonly rejected: number;
  readonly rejectedLater: number;
}

/** What a timeline says; NaN for the later part of a run that was over by then. */
export function sharesOf(timeline: readonly StoreSample[], writesPerSecond: number): Shares {
  const end = timeline.at(-1);
  const first = timeline.findLast((sample) => copiesOf(sample) === 0);
  if (end === undefined || first === undefined) throw new Error("the store saw no copies");
  const later = timeline.find((sample) => sample.ms >= first.ms + RUN_UP_MS) ?? end;
  const copied = timeline.find((sample) => copiesOf(sample) === copiesOf(end)) ?? end;
  const used = (from: StoreSample) =>
    (copiesOf(copied) - copiesOf(from)) / (((copied.ms - from.ms) / 1000) * writesPerSecond);
  const rejected = (from: StoreSample) =>
    (slowDownsOf(end) - slowDownsOf(from)) / (writesOf(end) - writesOf(from));
  return {
    used: used(first),
    usedLater: copied.ms > later.ms ? used(later) : Number.NaN,
    rejected: rejected(first),
    rejectedLater: rejected(later),
  };
}

function copiesOf({ granted }: StoreSample): number {
  return granted[TARGET.bucket] ?? 0;
}

function slowDownsOf({ slowDown }: StoreSample): number {
  return Object.values(slowDown).reduce((sum, count) => sum + count, 0);
}
