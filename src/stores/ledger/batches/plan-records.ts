/** Planned batches: inserted behind the last one, once each, under the fence. */

import { BATCH_STAGES, type Batch, FIRST_STATE } from "../../../domain/batch.ts";
import { DomainError } from "../../../domain/errors.ts";
import { compareKeys } from "../../../domain/keys/key-order.ts";
import type { Lease, Ledger, NewBatch } from "../../../ports/ledger.ts";
import { fenceHolds, fenceValues, leaseLost } from "../fence.ts";
import { isDuplicate } from "../ledger-errors.ts";
import type { LedgerSession, Sql, SqlValue } from "../ledger-session.ts";
import type { BatchRow } from "../schemas/batch-schema.ts";
import { encodeObjects } from "./batch-encoding.ts";
import { sumsOf } from "./batch-sums.ts";
import { exceptionsIn, insertExceptions } from "./exception-records.ts";
import { fingerprintsOf } from "./key-fingerprints.ts";
import type { KnownObjects } from "./known-objects.ts";
import { encodeOutcomes } from "./outcome-encoding.ts";

const MAX_RACES = 5;

/** All columns of a batch that is planned now. */
export function plannedColumns(
  batch: Pick<Batch, "jobId" | "seq" | "objects" | "plannedUnder">,
  cursor: string | null,
  worker: string | null,
  at: number,
): Partial<BatchRow> & Record<string, SqlValue> {
  const { objects } = batch;
  const keys = objects.map((object) => object.key);
  // A lone surrogate has no UTF-8 form; it is ordered as the replacement character it is stored as.
  const ordered = keys.map((key) => key.toWellFormed()).sort(compareKeys);
  return {
    job_id: batch.jobId,
    seq: batch.seq,
    state: FIRST_STATE,
    planned_under: batch.plannedUnder,
    planned_at: at,
    ...sumsOf(objects),
    ...{ copied: 0, verified: 0, updated: 0, rows_updated: 0, bytes_copied: 0 },
    ...Object.fromEntries(BATCH_STAGES.map((stage) => [`${stage}_attempts`, 0])),
    worker,
    plan_cursor: cursor === null ? null : JSON.stringify(cursor),
    first_key: Buffer.from(ordered[0] ?? "", "utf8"),
    last_key: Buffer.from(ordered.at(-1) ?? "", "utf8"),
    outcomes: encodeOutcomes(objects),
    fingerprints: fingerprintsOf(keys),
    objects: encodeObjects(objects),
  };
}

/** The greatest seq of the job's batches, 0 without any. */
export async function lastSeq(sql: Sql, jobId: string): Promise<number> {
  const [row] = await sql.rows<{ last: number | null }>(
    "SELECT MAX(seq) AS last FROM tranship_batches WHERE job_id = ?",
    [jobId],
  );
  return Number(row?.last ?? 0);
}

/** Batches as they are planned; `known` is told of them. */
export function planRecords(session: LedgerSession, known: KnownObjects): Pick<Ledger, "addBatch"> {
  const planners = new WeakMap<Lease, BatchPlanner>();
  return {
    async addBatch(lease, batch, at) {
      const planner = planners.get(lease) ?? new BatchPlanner(session, lease);
      planners.set(lease, planner);
      const added = await planner.add(batch, at);
      known.note(added.objects);
      return added;
    },
  };
}

/** Adds batches for one lease, one after the other; keeps the last seq, so that each is one statement. */
class BatchPlanner {
  readonly #session: LedgerSession;
  readonly #lease: Lease;
  /** Null: not known (any more), ask the ledger. */
  #lastSeq: number | null = null;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(session: LedgerSession, lease: Lease) {
    this.#session = session;
    this.#lease = lease;
  }

  /** Records `batch` behind the last one. Given again after an error, the same batch is not planned twice. */
  add(batch: NewBatch, at: number): Promise<Batch> {
    const added = this.#turn.then(() => this.#addNow(batch, at));
    this.#turn = added.catch(() => undefined);
    return added;
  }

  async #addNow({ objects, cursor }: NewBatch, at: number): Promise<Batch> {
    const { jobId, owner, token: plannedUnder } = this.#lease;
    const columns = plannedColumns({ jobId, seq: 0, objects: [...objects], plannedUnder }, cursor, owner, at);
    for (let race = 0; race < MAX_RACES; race += 1) {
      const known = this.#lastSeq;
      // Unknown until this batch is safely in: an error leaves it open whether it was recorded.
      this.#lastSeq = null;
      const seq = await this.#seqFor(known, columns);
      if (seq.isAhead) {
        // The last seq is known from now on; the caller reads the cursor again and continues from there.
        this.#lastSeq = seq.value - 1;
        throw new DomainError("ledger_unavailable", "A batch that seemed to fail was recorded after all.");
      }
      const there = seq.isThere || (await this.#insert({ ...columns, seq: seq.value }, objects, at));
      if (!there) continue;
      this.#lastSeq = seq.value;
      return { jobId, seq: seq.value, state: FIRST_STATE, objects, plannedUnder, updatedAt: null };
    }
    throw new DomainError("ledger_unavailable", "Another process keeps planning batches of the same job.");
  }

  /**
   * The seq to take, or the one that the same batch got in an attempt that seemed to fail. `isAhead`: another batch of
   * this lease was recorded in such an attempt, so this one was planned from an older place and has its keys in it again.
   */
  async #seqFor(
    known: number | null,
    columns: Readonly<Record<string, SqlValue>>,
  ): Promise<{ value: number; isThere: boolean; isAhead: boolean }> {
    if (known !== null) return { value: known + 1, isThere: false, isAhead: false };
    return this.#session.run(async (sql) => {
      const value = await lastSeq(sql, this.#lease.jobId);
      if (value === 0) return { value: 1, isThere: false, isAhead: false };
      const last = await comparedBatch(sql, { ...columns, seq: value });
      if (last !== "another's" && !(await fenceHolds(sql, this.#lease))) throw leaseLost(this.#lease);
      const isThere = last === "same";
      return { value: isThere ? value : value + 1, isThere, isAhead: last === "ours" };
    });
  }

  /** True when the batch is in the ledger; false when another one took its seq. */
  async #insert(
    columns: Readonly<Record<string, SqlValue>>,
    objects: Batch["objects"],
    at: number,
  ): Promise<boolean> {
    const failed = exceptionsIn(objects);
    const names = Object.keys(columns);
    const insert = async (sql: Sql): Promise<void> => {
      const inserted = await sql.change(
        `INSERT INTO tranship_batches (${names.join(", ")})
         SELECT ${names.map(() => "?").join(", ")} FROM tranship_jobs j WHERE j.id = ? AND j.fencing_token = ?`,
        [...Object.values(columns), ...fenceValues(this.#lease)],
      );
      if (inserted === 0) throw leaseLost(this.#lease);
      const place = { jobId: this.#lease.jobId, seq: Number(columns.seq), stage: "plan", at } as const;
      await insertExceptions(this.#session, sql, place, failed);
    };
    try {
      if (failed.length === 0) await this.#session.run(insert);
      else await this.#session.transaction(insert);
      return true;
    } catch (error) {
      if (!isDuplicate(error)) throw error;
    }
    return this.#session.run(async (sql) => {
      if (!(await fenceHolds(sql, this.#lease))) throw leaseLost(this.#lease);
      return (await comparedBatch(sql, columns)) === "same";
    });
  }
}

/**
 * What the row with the seq of `columns` is: the `same` batch, another one of the same lease from the inventory (`ours`),
 * or `another's`.
 */
async function comparedBatch(
  sql: Sql,
  columns: Readonly<Record<string, SqlValue>>,
): Promise<"same" | "ours" | "another's"> {
  const { job_id = "", seq = 0, planned_under = 0, plan_cursor = "", objects = "" } = columns;
  const [row] = await sql.rows<{ same: unknown }>(
    `SELECT CASE WHEN plan_cursor = ? AND objects = ? THEN 1 ELSE 0 END AS same FROM tranship_batches
     WHERE job_id = ? AND seq = ? AND planned_under = ? AND plan_cursor IS NOT NULL`,
    [plan_cursor, objects, job_id, seq, planned_under],
  );
  if (row === undefined) return "another's";
  return Number(row.same) === 1 ? "same" : "ours";
}
