/** Rows of the section on many small objects: whose they are, and which are to be compared. */

import type { Load, ThroughputRow } from "./measure-throughput.ts";

/** Tranship's forms in this section; a peer's name does not begin like this. */
export const OURS = {
  plain: "Tranship, objects only",
  withRows: "Tranship, with rows",
  sqliteLedger: "Tranship, with rows, SQLite ledger",
} as const;

/** The loads under which everybody is measured. */
export interface Loads {
  /** What an object costs, and how full concurrency is. */
  readonly at64: Load;
  /** Over within seconds: start-up and the first calls of all code are a part of it that can be seen. */
  readonly shortAt256: Load;
  /** Nearer to the jobs that it is made for, which last longer than their start. The ratio to the peers is asked here. */
  readonly longAt256: Load;
}

export const isOurs = ({ name }: ThroughputRow) => name.startsWith("Tranship");

export const isSameLoad = (one: Load, other: Load) =>
  one.concurrency === other.concurrency && one.objects === other.objects;

/** The row of one of {@link OURS} under `load`; throws where it is missing, since no verdict on us may be left out. */
export function ourRow(rows: readonly ThroughputRow[], name: string, load: Load): ThroughputRow {
  const found = rows.find((row) => row.name === name && isSameLoad(row.load, load));
  if (found === undefined) throw new Error(`${name} was not measured at ${load.concurrency}`);
  return found;
}

/** The peer that moved most objects a second under `load`, whole process; none where no peer took part. */
export function fastestPeer(rows: readonly ThroughputRow[], load: Load): ThroughputRow | undefined {
  return rows
    .filter((row) => !isOurs(row) && isSameLoad(row.load, load))
    .toSorted((a, b) => b.objectsPerSecond - a.objectsPerSecond)[0];
}
