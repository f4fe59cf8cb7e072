/** Jobs, objects and places to keep a ledger, for the ledger's contract. */

import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Logger } from "typeorm";
import type { Batch, BatchObject, Outcome, PlannedObject, Stage } from "../../../src/domain/batch.ts";
import { fail as failObject, MOVED, PENDING } from "../../../src/domain/batch.ts";
import type { JobSpec } from "../../../src/domain/job-spec.ts";
import type { JobState } from "../../../src/domain/job-state.ts";
import type { Lease, Ledger, RunReport, StageOutcome } from "../../../src/ports/ledger.ts";
import { noRequests } from "../../../src/ports/object-store.ts";
import { type LedgerOptions, openLedger } from "../../../src/stores/ledger/open-ledger.ts";
import { AVATARS } from "../../support/job-spec.ts";
import { createDatabase } from "../../support/servers/mariadb.ts";

/** An empty place for a ledger, which may be opened several times. */
export interface LedgerPlace {
  readonly url: string;
  open(options?: LedgerOptions): Promise<Ledger>;
  dispose(): Promise<void>;
}

export async function sqlitePlace(): Promise<LedgerPlace> {
  const directory = mkdtempSync(join(tmpdir(), "tranship-ledger-"));
  return placeAt(`sqlite:${join(directory, "ledger.db")}`, async () =>
    rmSync(directory, { recursive: true, force: true }),
  );
}

export async function mariadbPlace(serverUrl: string): Promise<LedgerPlace> {
  // A collation that merges much, which the ledger must not care about.
  const database = await createDatabase(serverUrl, { collation: "utf8mb4_unicode_ci" });
  return placeAt(database.url, () => database.drop());
}

function placeAt(url: string, remove: () => Promise<void>): LedgerPlace {
  const opened: Ledger[] = [];
  return {
    url,
    open: async (options) => {
      const ledger = await openLedger(url, options);
      opened.push(ledger);
      return ledger;
    },
    dispose: async () => {
      await Promise.all(opened.map((ledger) => ledger.close()));
      await remove();
    },
  };
}

/** Keeps the statements it is told of. */
export function statementLog(): { readonly logger: Logger; readonly statements: string[] } {
  const statements: string[] = [];
  const nothing = (): void => {};
  const logger: Logger = {
    logQuery: (statement) => void statements.push(statement),
    logQueryError: nothing,
    logQuerySlow: nothing,
    logSchemaBuild: nothing,
    logMigration: nothing,
    log: nothing,
  };
  return { logger, statements };
}

export const T0 = 1_790_000_000_000;
export const LEASE_MS = 30_000;

export function specOf(more: Partial<JobSpec> = {}): JobSpec {
  return { ...AVATARS, limits: { ...AVATARS.limits, concurrency: 64 }, ...more };
}

export function objectOf(key: string, more: Partial<BatchObject> = {}): BatchObject {
  const etag = createHash("md5").update(key).digest("hex");
  const seen = { key, size: 100, etag, storageClass: null, modifiedAt: T0 };
  return { ...seen, rows: [], targetEtag: null, outcome: PENDING, ...more };
}

export function objectsOf(...keys: string[]): BatchObject[] {
  return keys.map((key) => objectOf(key));
}

/** Objects as production has them: the `from`th and the next ones of a fixed pseudo-random sequence. */
export function realisticObjects(from: number, count: number): BatchObject[] {
  return Array.from({ length: count }, (_, offset) => {
    const n = from + offset;
    const digest = createHash("sha256").update(`object ${n}`).digest();
    const month = String(1 + (digest.readUInt8(0) % 12)).padStart(2, "0");
    return {
      key: `image/2024/${month}/${digest.toString("hex", 1, 6)}.png`,
      size: digest.readUInt32BE(6) % 3_000_000,
      etag: digest.toString("hex", 16),
      storageClass: null,
      // Written in bursts: some ten a second.
      modifiedAt: 1_000 * (1_700_000_000 + Math.floor(n / 10) + (digest.readUInt8(1) % 3)),
      rows: [{ reference: 0, id: String(1_000_000 + n * 3) }],
      targetEtag: null,
      outcome: PENDING,
    };
  });
}

/** Records a job of `name`. */
export function submit(ledger: Ledger, idempotencyKey: string | null = null, name = "avatars", at = T0) {
  return ledger.createJob({ spec: specOf({ name }), idempotencyKey, actor: "ci", at });
}

/** Changes a job's state as an operator. */
export function change(
  ledger: Ledger,
  jobId: string,
  from: JobState,
  to: JobState,
  reason: string | null = null,
) {
  return ledger.changeState({ jobId, from, to, action: "pause", actor: "ann", reason, at: T0 + 7 });
}

let jobs = 0;

/** A fresh job and a lease on it. */
export async function claimedJob(ledger: Ledger, spec: Partial<JobSpec> = {}): Promise<Lease> {
  jobs += 1;
  const request = {
    spec: specOf({ name: `job ${jobs}`, ...spec }),
    idempotencyKey: null,
    actor: "ci",
    at: T0,
  };
  const { job } = await ledger.createJob(request);
  const lease = await ledger.claim(job.id, "runner-1", T0, LEASE_MS);
  if (lease === null) throw new Error("the job could not be claimed");
  return lease;
}

export const REPORT: RunReport = {
  state: "running",
  waiting: null,
  requests: noRequests(),
  statements: {},
  activeMs: 0,
  clockLagMs: 0,
};

export function addKeys(ledger: Ledger, lease: Lease, ...keys: string[]): Promise<Batch> {
  return ledger.addBatch(lease, { objects: objectsOf(...keys), cursor: keys.at(-1) ?? "" }, T0);
}

type WorkStage = Exclude<Stage, "plan">;

const AFTER = { copy: "copied", verify: "verified", update: "updated", delete: "done" } as const;
const TIME = { copy: 10, verify: 20, update: 30, delete: 40 } as const;

export function outcomeOf(batch: Batch, stage: WorkStage, more: Partial<StageOutcome> = {}): StageOutcome {
  const startedAt = T0 + TIME[stage];
  return { batch, stage, startedAt, endedAt: startedAt + 5, attempts: 1, rows: 0, ...more };
}

/** Ends `stage` as the conveyor does, with the outcomes that `objects` have by then. */
export async function endStage(
  ledger: Ledger,
  lease: Lease,
  batch: Batch,
  stage: WorkStage,
  more: Partial<StageOutcome> = {},
): Promise<void> {
  if (stage === "verify") for (const object of stillGoing(batch)) object.targetEtag = object.etag;
  if (stage === "delete") for (const object of stillGoing(batch)) object.outcome = MOVED;
  const outcome = outcomeOf(batch, stage, more);
  await ledger.recordStage(lease, outcome);
  batch.state = AFTER[stage];
  if (stage === "update") batch.updatedAt = outcome.endedAt;
}

export async function endAllStages(ledger: Ledger, lease: Lease, batch: Batch): Promise<void> {
  for (const stage of ["copy", "verify", "update", "delete"] as const) {
    await endStage(ledger, lease, batch, stage);
  }
}

export function failKey(batch: Batch, key: string, message = "no"): void {
  for (const object of batch.objects) if (object.key === key) failObject(object, "copy_refused", message);
}

export function planned(objects: readonly BatchObject[]): PlannedObject[] {
  return objects.map(({ key, size, etag, storageClass, modifiedAt, rows }) => {
    return { key, size, etag, storageClass, modifiedAt, rows };
  });
}

export function outcomes(batch: Batch | undefined): Outcome["kind"][] {
  return (batch?.objects ?? []).map((object) => object.outcome.kind);
}

function stillGoing(batch: Batch): BatchObject[] {
  return batch.objects.filter((object) => object.outcome.kind === "pending");
}

export const ALL_OPEN = { afterSeq: 0, updatedBefore: Number.MAX_SAFE_INTEGER, limit: 1_000 } as const;
