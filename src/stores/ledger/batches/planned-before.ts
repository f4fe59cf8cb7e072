/** Which keys of a batch were planned before? One walk over the earlier batches' fingerprints answers for all of them. */

import type { Batch, BatchObject } from "../../../domain/batch.ts";
import type { LastPlanned, Ledger } from "../../../ports/ledger.ts";
import type { LedgerSession } from "../ledger-session.ts";
import { batchOf, STORED_COLUMNS, type StoredBatch } from "./batch-reads.ts";
import { FingerprintSearch } from "./key-fingerprints.ts";
import { isAccountedFor, mayHold } from "./object-lookup.ts";

/**
 * Up to so many keys are looked for by the database itself. It goes through all fingerprints once for each key, while
 * reading them costs the same for any number of keys. Among ten million objects: 20 ms a key in MariaDB and 60 in SQLite,
 * against 60 for all.
 */
const MOST_BY_DATABASE = 2;
/** Batches whose fingerprints are read at once: 4 KB each where a batch has 1,000 objects. */
const FINGERPRINTS_AT_ONCE = 250;
/** Batches that are opened at once: some 200 KB each while they are taken apart. */
const OPENED_AT_ONCE = 20;

/** Which keys were planned before. */
export function plannedKeys(session: LedgerSession): Pick<Ledger, "plannedBefore" | "lastPlanned"> {
  return {
    plannedBefore: async (jobId, keys, beforeSeq) =>
      new Set((await lastPlanned(session, jobId, keys, beforeSeq)).keys()),
    lastPlanned: (jobId, keys) => lastPlanned(session, jobId, keys, Number.MAX_SAFE_INTEGER),
  };
}

/** By key what became of those of `keys` that were planned in a batch before `beforeSeq`. */
async function lastPlanned(
  session: LedgerSession,
  jobId: string,
  keys: readonly string[],
  beforeSeq: number,
): Promise<ReadonlyMap<string, LastPlanned>> {
  const wanted = new Set(keys);
  const candidates =
    wanted.size <= MOST_BY_DATABASE
      ? await foundByDatabase(session, jobId, wanted, beforeSeq)
      : await foundInFingerprints(session, jobId, wanted, beforeSeq);
  return confirmed(session, jobId, candidates);
}

/** Numbers of batches, and which keys each may hold. */
type Candidates = ReadonlyMap<number, readonly string[]>;

async function foundByDatabase(
  session: LedgerSession,
  jobId: string,
  wanted: ReadonlySet<string>,
  beforeSeq: number,
): Promise<Candidates> {
  const candidates = new Map<number, string[]>();
  for (const key of wanted) {
    const { condition, values } = mayHold(jobId, key);
    const rows = await session.run((sql) =>
      sql.rows<{ seq: number }>(`SELECT b.seq FROM tranship_batches b WHERE ${condition} AND b.seq < ?`, [
        ...values,
        beforeSeq,
      ]),
    );
    for (const { seq } of rows) candidates.set(seq, [...(candidates.get(seq) ?? []), key]);
  }
  return candidates;
}

async function foundInFingerprints(
  session: LedgerSession,
  jobId: string,
  wanted: ReadonlySet<string>,
  beforeSeq: number,
): Promise<Candidates> {
  const search = new FingerprintSearch(wanted);
  const inOrder = [...wanted].map((key) => Buffer.from(key, "utf8")).sort(Buffer.compare);
  const [least, greatest] = [inOrder[0] as Buffer, inOrder.at(-1) as Buffer];
  const candidates = new Map<number, readonly string[]>();
  for (let after = 0; ; ) {
    const rows = await session.run((sql) =>
      sql.rows<{ seq: number; fingerprints: Buffer }>(
        `SELECT b.seq, b.fingerprints FROM tranship_batches b
         WHERE b.job_id = ? AND b.seq > ? AND b.seq < ? AND b.first_key <= ? AND b.last_key >= ?
         ORDER BY b.seq LIMIT ${FINGERPRINTS_AT_ONCE}`,
        [jobId, after, beforeSeq, greatest, least],
      ),
    );
    for (const { seq, fingerprints } of rows) {
      const found = search.in(fingerprints);
      if (found.length > 0) candidates.set(seq, found);
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < FINGERPRINTS_AT_ONCE) return candidates;
    after = last.seq;
  }
}

/** Opens the batches that may hold a key, newest first: a fingerprint may be another key's. A key that was met is looked for no more. */
async function confirmed(
  session: LedgerSession,
  jobId: string,
  candidates: Candidates,
): Promise<ReadonlyMap<string, LastPlanned>> {
  const before = new Map<string, LastPlanned>();
  let left = [...candidates].sort(([a], [b]) => b - a);
  while (left.length > 0) {
    const now = left.slice(0, OPENED_AT_ONCE).map(([seq]) => seq);
    for (const { seq, objects } of await batchesOf(session, jobId, now)) {
      const possible = new Set(candidates.get(seq));
      for (const object of objects) {
        if (!possible.has(object.key) || before.has(object.key) || !isHeldBy(object)) continue;
        before.set(object.key, { batch: seq, object });
      }
    }
    left = left.slice(OPENED_AT_ONCE).filter(([, keys]) => keys.some((key) => !before.has(key)));
  }
  return before;
}

/** An object that vanished before it was copied has left nothing behind: what has its key later is another one. */
function isHeldBy(object: BatchObject): boolean {
  const isGone = object.outcome.kind === "skipped" && object.outcome.reason === "source_gone";
  return isAccountedFor(object) && !isGone;
}

/** Newest first. */
async function batchesOf(session: LedgerSession, jobId: string, seqs: readonly number[]): Promise<Batch[]> {
  const rows = await session.run((sql) =>
    sql.rows<StoredBatch>(
      `SELECT ${STORED_COLUMNS} FROM tranship_batches b
       WHERE b.job_id = ? AND b.seq IN (${seqs.map(() => "?").join(", ")}) ORDER BY b.seq DESC`,
      [jobId, ...seqs],
    ),
  );
  return rows.map(batchOf);
}
