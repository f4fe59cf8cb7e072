/** The fence around a job: writes of a runner whose lease was taken over have no effect, and are told so. */

import { DomainError } from "../../domain/errors.ts";
import type { Lease } from "../../ports/ledger.ts";
import type { Sql } from "./ledger-session.ts";

/** Holds while no later claim exists; belongs into the WHERE of every write, with {@link fenceValues}. */
export const FENCE = "EXISTS (SELECT 1 FROM tranship_jobs j WHERE j.id = ? AND j.fencing_token = ?)";

export function fenceValues(lease: Lease): [string, number] {
  return [lease.jobId, lease.token];
}

/** Whether `lease` is the job's latest. */
export async function fenceHolds(sql: Sql, lease: Lease): Promise<boolean> {
  const rows = await sql.rows("SELECT 1 AS held FROM tranship_jobs WHERE id = ? AND fencing_token = ?", [
    ...fenceValues(lease),
  ]);
  return rows.length > 0;
}

export function leaseLost(lease: Lease): DomainError {
  return new DomainError("lease_lost", `Another runner has taken over job ${lease.jobId}.`, {
    details: { jobId: lease.jobId, token: lease.token },
  });
}
