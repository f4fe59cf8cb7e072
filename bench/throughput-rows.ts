/** Rows of the section on many small objects: whose they are, and which are to be compared. */

import type { Load, ThroughputRow } from "./measure-throughput.ts";

/** Tranship's forms in this section. */
export const OURS = {
  plain: "Tranship, objects only",
  withRows: "Tranship, with rows",
  sqliteLedger: "Tranship, with rows, SQLite ledger",
} as const;

const NAMES: readonly string[] = Object.values(OURS);

/** The loads of the section. Whoever works one request at a time, and the form with rows and SQLite, have only the first. */
export interface Loads {
  /** Asked here: what an object costs, and how much of concurrency ÷ latency is used. */
  readonly at64: Load;
  /** Over within seconds, so that start-up and code not compiled yet can be seen in it. */
  readonly shortAt256: Load;
  /** Nearer to the jobs that Tranship is made for. Asked here: the ratio to the peers. */
  readonly longAt256: Load;
}

/** Whether the row is one of {@link OURS}. */
export const isOurs = ({ name }: ThroughputRow) => NAMES.includes(name);

/** Whether both ask for the same. */
export const isSameLoad = (one: Load, other: Load) =>
  one.concurrency === other.concurrency && one.objects === other.objects;

/** The row of one of {@link OURS} under `load`; throws where it is missing, since no verdict on us may be left out. */
export function ourRow(rows: readonly ThroughputRow[], name: string, load: Load): ThroughputRow {
  const found = rows.find((row) => row.name === name && isSameLoad(row.load, load));
  if (found === undefined) {
    throw new Error(`no row of "${name}" with ${load.objects} objects at ${load.concurrency}`);
  }
  return found;
}

/** Rows of peers to compare with ours under `load`: those under the same, and of whoever knows no concurrency. */
export function peersUnder(rows: readonly ThroughputRow[], load: Load): ThroughputRow[] {
  return rows.filter((row) => !isOurs(row) && (!row.concurrent || isSameLoad(row.load, load)));
}

/** The peer that moved most objects a second under `load`, whole process; none where no peer took part. */
export function fastestPeer(rows: readonly ThroughputRow[], load: Load): ThroughputRow | undefined {
  return peersUnder(rows, load).toSorted((a, b) => b.objectsPerSecond - a.objectsPerSecond)[0];
}
