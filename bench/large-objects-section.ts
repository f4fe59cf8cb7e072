/** The section on large objects. */

import { figure, times } from "./figures.ts";
import { type LargeObjectsRow, measureLargeObjects } from "./measure-large-objects.ts";
import { installedPeers } from "./peers.ts";
import type { Effort, Section, SectionReport } from "./section.ts";
import { transhipContender } from "./tranship-contender.ts";

const MIB = 2 ** 20;
const PART_BYTES = 16 * MIB;
const BYTES_PER_SECOND = 100 * MIB;
const OURS = "Tranship";

export const largeObjectsSection: Section = { name: "large-objects", measure };

async function measure(effort: Effort): Promise<SectionReport> {
  const rows = await measureLargeObjects({
    contenders: [
      transhipContender({ name: OURS, database: null, ledger: "sqlite" }),
      // s3cmd copies whole, as rclone does by default: its figure would be that of a single copy.
      ...(effort.peers ? installedPeers().filter(({ concurrent }) => concurrent) : []),
    ],
    sizes: effort.quick ? [32 * MIB] : [256 * MIB, 1024 * MIB],
    partBytes: PART_BYTES,
    objects: 1,
    bytesPerSecond: BYTES_PER_SECOND,
    concurrency: 64,
    rounds: effort.quick ? 1 : 3,
    onRun: (run) => effort.tell(`${run.name}: a large object in ${figure(run.seconds)} s`),
  });
  return {
    title: "Large objects",
    text: [
      `One object. The sandbox store shares bytes between copies and could copy any size at once; here it is told to take as long as ${figure(BYTES_PER_SECOND / MIB)} MiB a second for each single copy, whole or part (an assumption, of the order of what S3 does), so that what parts in parallel are worth can be seen. An object "uploaded in parts" (of ${PART_BYTES / MIB} MiB) has an ETag over its parts, which only a copy in the same parts keeps. Seconds are those of the whole process, start-up included.`,
    ],
    tables: [
      {
        head: ["contender", "MiB", "uploaded in", "seconds", "MiB/s", "parts", "time against Tranship's"],
        rows: rows.map((row) => [
          row.name,
          figure(row.bytes / MIB),
          row.uploadedIn,
          figure(row.seconds),
          figure(row.bytesPerSecond / MIB),
          row.partsPerObject === 0 ? "whole" : figure(row.partsPerObject),
          times(row.seconds / (counterpart(rows, row)?.seconds ?? Number.NaN)),
        ]),
      },
    ],
    charts: [
      {
        title: "Seconds for the largest object (less is better)",
        bars: rows
          .filter(({ bytes }) => bytes === rows.at(-1)?.bytes)
          .map((row) => ({
            label: `${row.name}, uploaded in ${row.uploadedIn}`,
            value: row.seconds,
            text: figure(row.seconds),
            ours: row.name === OURS,
          })),
      },
    ],
    budgets: [],
    worse: worseOf(rows),
  };
}

function worseOf(rows: readonly LargeObjectsRow[]): string[] {
  return rows.flatMap((row) => {
    const ours = counterpart(rows, row);
    if (ours === undefined || ours.seconds <= row.seconds) return [];
    return `An object of ${figure(row.bytes / MIB)} MiB uploaded in ${row.uploadedIn}: Tranship ${figure(ours.seconds)} s, ${row.name} ${figure(row.seconds)} s.`;
  });
}

function counterpart(rows: readonly LargeObjectsRow[], to: LargeObjectsRow): LargeObjectsRow | undefined {
  return rows.find((row) => row.name === OURS && row.bytes === to.bytes && row.uploadedIn === to.uploadedIn);
}
