/** Large objects on a store whose copies take time in proportion to their bytes: whole, and in parts. */

import type { Contender } from "./contender.ts";
import { medianOf } from "./latencies.ts";
import type { ContenderRun } from "./run-contender.ts";
import { runContender } from "./run-contender.ts";

export interface LargeObjectsOptions {
  readonly contenders: readonly Contender[];
  /** Of each object, in bytes. */
  readonly sizes: readonly number[];
  /** Of the part in which they count as uploaded, for the second kind. */
  readonly partBytes: number;
  readonly objects: number;
  /** Of each single copy, whole or part. */
  readonly bytesPerSecond: number;
  readonly concurrency: number;
  readonly rounds: number;
  onRun?(run: ContenderRun): void;
}

/** Medians over the rounds of one contender, one size and one kind of upload. */
export interface LargeObjectsRow {
  readonly name: string;
  readonly bytes: number;
  /** How the sources had been uploaded: in one piece, or in parts (their ETag then ends in `-N`). */
  readonly uploadedIn: "one piece" | "parts";
  readonly rounds: number;
  readonly seconds: number;
  readonly bytesPerSecond: number;
  /** UploadPartCopy requests for one object; 0: copied whole. */
  readonly partsPerObject: number;
}

/** Measures every contender on every kind of object; throws when one of them does not move everything. */
export async function measureLargeObjects(options: LargeObjectsOptions): Promise<LargeObjectsRow[]> {
  const rows: LargeObjectsRow[] = [];
  const { objects, bytesPerSecond, concurrency } = options;
  for (const bytes of options.sizes) {
    for (const uploadedIn of ["one piece", "parts"] as const) {
      for (const contender of options.contenders) {
        const store = {
          objects,
          bytes,
          latencyMs: 20,
          copyBytesPerSecond: bytesPerSecond,
          ...(uploadedIn === "parts" && { partBytes: options.partBytes }),
        };
        const runs: ContenderRun[] = [];
        for (let round = 0; round < options.rounds; round++) {
          const run = await runContender(contender, concurrency, store);
          runs.push(run);
          options.onRun?.(run);
        }
        rows.push(rowOf(contender.name, bytes, uploadedIn, runs));
      }
    }
  }
  return rows;
}

function rowOf(
  name: string,
  bytes: number,
  uploadedIn: LargeObjectsRow["uploadedIn"],
  runs: readonly ContenderRun[],
): LargeObjectsRow {
  const middle = (value: (run: ContenderRun) => number) => medianOf(runs.map(value));
  return {
    name,
    bytes,
    uploadedIn,
    rounds: runs.length,
    seconds: middle((run) => run.seconds),
    bytesPerSecond: middle((run) => (run.objects * bytes) / run.seconds),
    partsPerObject: middle((run) => partsOf(run) / run.objects),
  };
}

function partsOf({ counts }: ContenderRun): number {
  return Object.entries(counts.requests)
    .filter(([operation]) => operation.startsWith("UploadPartCopy "))
    .reduce((sum, [, count]) => sum + count, 0);
}
