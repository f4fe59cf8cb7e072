/** Recalls the consignments that a job which is to stop has left open. */

import { carryConsignment } from "./carry-consignment.ts";
import type { RunContext } from "./run-context.ts";
import type { TakenIn } from "./take-in.ts";

/** Nothing is taken in by a job that is to stop. */
const NONE: TakenIn = { start: async () => false, wasStarted: () => false };

/**
 * Recalls the consignments that are open although the job is to stop: the process that had sent them ended before it recalled
 * them. Does nothing for a run that only lets go of its job.
 */
export async function recallOpen(run: RunContext): Promise<void> {
  const { consigning, ledger, lease } = run;
  if (consigning === null || !consigning.recall.aborted) return;
  const open = (await ledger.consignments(lease.jobId)).filter(({ state }) => state === "open");
  await Promise.allSettled(open.map((record) => carryConsignment(run, consigning, record, NONE)));
}
