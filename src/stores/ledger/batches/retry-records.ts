/** Exceptions taken up again: their objects move to a new batch, and out of the sums of their old ones. */

import { type Batch, type BatchObject, PENDING, type Stage } from "../../../domain/batch.ts";
import { DomainError } from "../../../domain/errors.ts";
import type { Ledger } from "../../../ports/ledger.ts";
import type { LedgerSession, Sql, SqlValue } from "../ledger-session.ts";
import { batchOf, STORED_COLUMNS, type StoredBatch } from "./batch-reads.ts";
import { countedBefore, sumsOf } from "./batch-sums.ts";
import { encodeOutcomes } from "./outcome-encoding.ts";
import { lastSeq, plannedColumns } from "./plan-records.ts";

interface OpenException {
  readonly id: number;
  readonly seq: number;
  readonly position: number;
  readonly stage: Stage;
}

const IDS_PER_DELETE = 500;

/** Exceptions taken up again. */
export function retryRecords(session: LedgerSession): Pick<Ledger, "replanExceptions"> {
  return {
    /** See the port's `replanExceptions`. Throws `state_conflict` while a runner holds the job: it has those batches in hand. */
    async replanExceptions(jobId, batchSize, at) {
      return session.transaction(async (sql) => {
        // Planned for the next run: to that one it is fresh work, and a target that stands there is not its own copy.
        const plannedUnder = (await lockIdleJob(sql, jobId, at)) + 1;
        const open = await sql.rows<OpenException>(
          `SELECT id, seq, position, stage FROM tranship_exceptions WHERE job_id = ?
           ORDER BY seq, position LIMIT ${Math.max(0, Math.trunc(batchSize))}`,
          [jobId],
        );
        if (open.length === 0) return 0;
        const objects: BatchObject[] = [];
        for (const exceptions of byBatch(open)) objects.push(...(await takeOut(sql, jobId, exceptions)));
        const seq = (await lastSeq(sql, jobId)) + 1;
        await insertBatch(sql, plannedColumns({ jobId, seq, objects, plannedUnder }, null, null, at));
        await removeExceptions(sql, open);
        return open.length;
      });
    },
  };
}

/** `open`, which is in order of batches, one list for each batch. */
function byBatch(open: readonly OpenException[]): OpenException[][] {
  const batches = new Map<number, OpenException[]>();
  for (const exception of open) {
    const others = batches.get(exception.seq);
    if (others === undefined) batches.set(exception.seq, [exception]);
    else others.push(exception);
  }
  return [...batches.values()];
}

/** Keeps claims out until the transaction ends; gives the job's token. */
async function lockIdleJob(sql: Sql, jobId: string, at: number): Promise<number> {
  const changed = await sql.change(
    `UPDATE tranship_jobs SET version = version + 1, updated_at = ?
     WHERE id = ? AND (lease_until IS NULL OR lease_until <= ?)`,
    [at, jobId, at],
  );
  const [job] = await sql.rows<{ fencing_token: number }>(
    "SELECT fencing_token FROM tranship_jobs WHERE id = ?",
    [jobId],
  );
  if (job === undefined) throw new DomainError("not_found", `There is no job ${jobId}.`);
  if (changed === 0) throw new DomainError("state_conflict", `Job ${jobId} is being worked on.`);
  return job.fencing_token;
}

/** Marks the objects of `exceptions` as retried in their batch, and gives them as they were planned. */
async function takeOut(
  sql: Sql,
  jobId: string,
  exceptions: readonly OpenException[],
): Promise<BatchObject[]> {
  const seq = exceptions[0]?.seq ?? 0;
  const [row] = await sql.rows<StoredBatch>(
    `SELECT ${STORED_COLUMNS} FROM tranship_batches b WHERE b.job_id = ? AND b.seq = ?`,
    [jobId, seq],
  );
  if (row === undefined) throw new DomainError("internal", `Job ${jobId} has exceptions of no batch ${seq}.`);
  const batch = batchOf(row);
  const taken: BatchObject[] = [];
  const counted = { copied: 0, bytes_copied: 0, verified: 0, updated: 0 };
  for (const { position, stage } of exceptions) {
    const object = batch.objects[position];
    if (object === undefined) continue;
    // The ETag of a copy this job has made stays: it distinguishes this job's copy from another object at the target.
    taken.push({ ...object, outcome: PENDING });
    object.outcome = { kind: "skipped", reason: "retried" };
    const before = countedBefore(stage, object.size);
    counted.copied += before.copied;
    counted.bytes_copied += before.bytes_copied;
    counted.verified += before.verified;
    counted.updated += before.updated;
  }
  await writeBack(sql, batch, counted);
  return taken;
}

async function writeBack(sql: Sql, batch: Batch, counted: Record<string, number>): Promise<void> {
  const columns = { ...sumsOf(batch.objects), outcomes: encodeOutcomes(batch.objects) };
  const set = [
    ...Object.keys(columns).map((name) => `${name} = ?`),
    ...Object.keys(counted).map((name) => `${name} = ${name} - ?`),
  ];
  await sql.change(`UPDATE tranship_batches SET ${set.join(", ")} WHERE job_id = ? AND seq = ?`, [
    ...Object.values(columns),
    ...Object.values(counted),
    ...[batch.jobId, batch.seq],
  ]);
}

async function insertBatch(sql: Sql, columns: Readonly<Record<string, SqlValue>>): Promise<void> {
  const names = Object.keys(columns);
  await sql.change(
    `INSERT INTO tranship_batches (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`,
    Object.values(columns),
  );
}

async function removeExceptions(sql: Sql, exceptions: readonly OpenException[]): Promise<void> {
  for (let start = 0; start < exceptions.length; start += IDS_PER_DELETE) {
    const ids = exceptions.slice(start, start + IDS_PER_DELETE).map((exception) => exception.id);
    await sql.change(`DELETE FROM tranship_exceptions WHERE id IN (${ids.map(() => "?").join(", ")})`, ids);
  }
}
