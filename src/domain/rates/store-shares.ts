/** How processes divide a limit of a store: each has the part that its jobs are of all jobs. Pure. */

/** The entry of one process in the ledger's row of a limit. */
export interface ShareEntry {
  /** The process; unlike any other. */
  readonly owner: string;
  /** Its jobs that send requests under the limit, at least 1. */
  readonly jobs: number;
  /** The part of the limit that it may use, 0 to 1. The sum over all entries is never more than 1. */
  readonly share: number;
  /** Grows with each write; an entry whose beat has not changed for the lease belongs to a process that has ended. */
  readonly beat: number;
}

/** What a process writes next. */
export interface NextShare {
  /** Its jobs / all jobs. */
  readonly due: number;
  /** Never less than it uses at this moment, and more only as far as no other entry holds it. */
  readonly share: number;
}

/**
 * The next entry of a process that uses `own.share` beside `others`. A process whose `due` is less must first use less and
 * then write that; the others grow only into what they have read as free. So the sum holds at every moment.
 */
export function nextShare(
  own: Pick<ShareEntry, "jobs" | "share">,
  others: readonly Pick<ShareEntry, "jobs" | "share">[],
): NextShare {
  const allJobs = others.reduce((sum, { jobs }) => sum + jobs, own.jobs);
  const free = others.reduce((rest, { share }) => rest - share, 1);
  const due = own.jobs / allJobs;
  return { due, share: Math.max(own.share, Math.min(due, free)) };
}
