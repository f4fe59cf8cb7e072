/** Large objects on a store whose copies take time in proportion to their bytes: whole, and in parts. */

import { figure, times } from "../figures.ts";
import { medianOf } from "../latencies.ts";
import { installedPeers } from "../peers/debian-peers.ts";
import { type ContenderRun, runInTurn } from "../peers/run-contender.ts";
import { transhipContender } from "../peers/tranship-contender.ts";
import type { Effort, Section, SectionReport } from "../section.ts";

const MIB = 2 ** 20;
const PART_BYTES = 16 * MIB;
const BYTES_PER_SECOND = 100 * MIB;

export const largeObjectsSection: Section = { name: "large-objects", measure };

async function measure(effort: Effort): Promise<SectionReport> {
  const contenders = [
    transhipContender(effort.dist, { name: "Tranship", database: null, ledger: "sqlite" }),
    // s3cmd copies whole, as rclone does by default: its figure would be that of a single copy.
    ...(effort.peers ? installedPeers().filter(({ concurrent }) => concurrent) : []),
  ];
  const rows: string[][] = [];
  for (const bytes of effort.quick ? [32 * MIB] : [256 * MIB, 1024 * MIB]) {
    for (const partBytes of [undefined, PART_BYTES]) {
      const load = { concurrency: 64, objects: 1, bytes, copyBytesPerSecond: BYTES_PER_SECOND };
      const uploaded = partBytes === undefined ? load : { ...load, partBytes };
      const runs = await runInTurn(contenders, uploaded, effort.quick ? 1 : 3, effort);
      const measured = [...runs].map(([{ name }, done]) => {
        return {
          name,
          seconds: medianOf(done.map(({ seconds }) => seconds)),
          parts: medianOf(done.map(partsOf)),
        };
      });
      for (const { name, seconds, parts } of measured) {
        rows.push([
          name,
          figure(bytes / MIB),
          partBytes === undefined ? "one piece" : "parts",
          figure(seconds),
          figure(bytes / MIB / seconds),
          parts === 0 ? "whole" : figure(parts),
          times(seconds / (measured[0]?.seconds ?? Number.NaN)),
        ]);
      }
    }
  }
  return {
    title: "Large objects",
    text: `One object. The sandbox store shares bytes between copies and could copy any size at once; here it is told to take as long as ${figure(BYTES_PER_SECOND / MIB)} MiB a second for each single copy, whole or part (an assumption, of the order of what S3 does), so that what parts in parallel are worth can be seen. An object "uploaded in parts" (of ${PART_BYTES / MIB} MiB) has an ETag over its parts, which only a copy in the same parts keeps. Seconds are those of the whole process, start-up included.`,
    table: {
      head: ["contender", "MiB", "uploaded in", "seconds", "MiB/s", "parts", "time against Tranship's"],
      rows,
    },
    figures: {},
  };
}

/** UploadPartCopy requests; 0: copied whole. */
function partsOf({ counts }: ContenderRun): number {
  return Object.entries(counts.requests)
    .filter(([operation]) => operation.startsWith("UploadPartCopy "))
    .reduce((sum, [, count]) => sum + count, 0);
}
