/** Many small objects: speed, requests, CPU and memory of Tranship and its peers, in turn, on the same store. */

import type { Contender } from "./contender.ts";
import { medianOf } from "./latencies.ts";
import { type ContenderRun, runContender } from "./run-contender.ts";

/** What is to be moved, and how much of it at once. */
export interface Load {
  readonly concurrency: number;
  /** Of the fastest contenders; slow ones move their share of it. */
  readonly objects: number;
}

export interface ThroughputOptions {
  readonly contenders: readonly Contender[];
  /** Contenders that differ from another only in what CPU they use: measured under the first load alone. */
  readonly once: readonly Contender[];
  readonly bytes: number;
  readonly latencyMs: number;
  readonly loads: readonly Load[];
  /** Runs of each contender, in turn. */
  readonly rounds: number;
  /** Told of each run as soon as it is over. */
  onRun?(run: ContenderRun): void;
}

/** Medians over the rounds of one contender under one load. */
export interface ThroughputRow {
  readonly name: string;
  readonly load: Load;
  /** False where the contender works one request at a time; its row stands for every load. */
  readonly concurrent: boolean;
  /** How many it moved: those of the load times its share. */
  readonly objects: number;
  readonly rounds: number;
  /** Over the whole process, from its start to its end. */
  readonly objectsPerSecond: number;
  /** From the first copy that the store received to the last write. */
  readonly activeObjectsPerSecond: number;
  /** The slowest and the fastest round, whole process. */
  readonly slowest: number;
  readonly fastest: number;
  /** `objectsPerSecond` and `activeObjectsPerSecond` as shares of concurrency ÷ latency. */
  readonly shareOfBound: number;
  readonly activeShareOfBound: number;
  readonly cpuMsPerObject: number;
  readonly requestsPerObject: number;
  readonly peakMb: number;
}

/** Measures every contender under every load; throws when one of them does not move everything. */
export async function measureThroughput(options: ThroughputOptions): Promise<ThroughputRow[]> {
  const rows: ThroughputRow[] = [];
  for (const [place, load] of options.loads.entries()) {
    const isFirst = place === 0;
    const among = options.contenders.filter((contender) => isFirst || contender.concurrent);
    const contenders = [...among, ...(isFirst ? options.once : [])];
    const runs = new Map(contenders.map((contender) => [contender, [] as ContenderRun[]]));
    for (let round = 0; round < options.rounds; round++) {
      // Turn and turn about, so that a disturbance of the machine does not fall on one of them alone.
      const order = round % 2 === 0 ? contenders : contenders.toReversed();
      for (const contender of order) {
        const run = await runOnce(contender, load, options);
        runs.get(contender)?.push(run);
        options.onRun?.(run);
      }
    }
    for (const [contender, done] of runs) rows.push(rowOf(contender, load, done, options));
  }
  return rows;
}

function runOnce(contender: Contender, load: Load, { bytes, latencyMs }: ThroughputOptions) {
  const objects = Math.max(20, Math.round(load.objects * contender.share));
  return runContender(contender, load.concurrency, { objects, bytes, latencyMs });
}

function rowOf(
  contender: Contender,
  load: Load,
  runs: readonly ContenderRun[],
  { latencyMs }: ThroughputOptions,
): ThroughputRow {
  const middle = (value: (run: ContenderRun) => number) => medianOf(runs.map(value));
  const rates = runs.map((run) => run.objects / run.seconds);
  const objectsPerSecond = medianOf(rates);
  const activeObjectsPerSecond = middle((run) => run.objects / run.activeSeconds);
  const bound = (contender.concurrent ? load.concurrency : 1) / (latencyMs / 1000);
  return {
    name: contender.name,
    load,
    concurrent: contender.concurrent,
    objects: runs[0]?.objects ?? 0,
    rounds: runs.length,
    objectsPerSecond,
    activeObjectsPerSecond,
    slowest: Math.min(...rates),
    fastest: Math.max(...rates),
    shareOfBound: objectsPerSecond / bound,
    activeShareOfBound: activeObjectsPerSecond / bound,
    cpuMsPerObject: middle((run) => run.cpuMs / run.objects),
    requestsPerObject: middle((run) => run.requests / run.objects),
    peakMb: middle((run) => run.peakMb),
  };
}
