/** `JobView`: a job as the API and the command line show it, made from its record and its counters. */

import type { JobSpec } from "../../domain/job-spec.ts";
import type { JobState, WaitReason } from "../../domain/job-state.ts";
import type { Tally } from "../../domain/tally.ts";
import type { LocalCalendar } from "../../domain/windows/local-calendar.ts";
import type { ExpectedObjects, JobRecord } from "../../ports/ledger.ts";
import type { RequestCounts } from "../../ports/object-store.ts";
import { type MeasuredRates, settledSoFar } from "../run/progress-meter.ts";
import { finishTime, totalObjects } from "./finish-time.ts";

/** A job as answered by the API. */
export interface JobView {
  readonly id: string;
  readonly name: string;
  readonly state: JobState;
  /** What it waits for, since when, and until when where that is known (ISO 8601). */
  readonly waiting: {
    readonly reason: WaitReason;
    readonly since: string;
    readonly until: string | null;
    readonly detail: string;
  } | null;
  /** Why it is paused or failed, or a remark on its end. */
  readonly reason: string | null;
  readonly objects: {
    readonly planned: number;
    readonly copied: number;
    readonly verified: number;
    readonly updated: number;
    readonly moved: number;
    readonly skipped: number;
    readonly exceptions: number;
  };
  readonly rows: { readonly updated: number };
  /** Bytes of the planned objects. */
  readonly bytes: number;
  readonly rate: { readonly objectsPerSecond: number; readonly bytesPerSecond: number };
  /** 0–100; null until the whole inventory is planned or counted. */
  readonly percent: number | null;
  readonly planDone: boolean;
  /** Objects of the whole inventory, counted ahead of planning; null for a job that was planned before it was counted. */
  readonly expected: ExpectedObjects | null;
  /** By the last measured rate, with windows, limits and grace; null while it cannot be estimated. */
  readonly finishAt: string | null;
  /** Openings of its windows until then, including a present one; null without windows or `finishAt`. */
  readonly finishOpenings: number | null;
  readonly seconds: number;
  readonly requests: RequestCounts;
  readonly statements: Readonly<Record<string, number>>;
  readonly spec: JobSpec;
  readonly approvedBy: string | null;
  /** Increases with each change that an operator can see or make; the HTTP ETag. */
  readonly version: number;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
}

/** Progress of a running job that the ledger does not have yet. */
export interface LiveProgress {
  readonly tally: Tally;
  readonly objectsPerSecond: number;
  readonly bytesPerSecond: number;
  /** The rates for estimates. */
  readonly measured: MeasuredRates;
  readonly requests: RequestCounts;
  readonly statements: Readonly<Record<string, number>>;
  readonly activeMs: number;
}

/** The view of `record`; `live` is null unless the job runs in this process. */
export function viewOf(
  record: JobRecord,
  tally: Tally,
  live: LiveProgress | null,
  { now, calendar }: { readonly now: number; readonly calendar: LocalCalendar },
): JobView {
  const counted = live?.tally ?? tally;
  const percent = percentOf(record, settledSoFar(counted), totalObjects(record, counted));
  const finish = finishTime(record, counted, live?.measured ?? null, { now, calendar });
  return {
    id: record.id,
    name: record.name,
    state: record.state,
    waiting: waitingOf(record),
    reason: record.reason,
    objects: {
      planned: counted.planned,
      copied: counted.copied,
      verified: counted.verified,
      updated: counted.updated,
      moved: counted.moved,
      skipped: counted.skipped,
      exceptions: counted.exceptions,
    },
    rows: { updated: counted.rowsUpdated },
    bytes: counted.bytes,
    rate: {
      objectsPerSecond: live?.objectsPerSecond ?? 0,
      bytesPerSecond: live?.bytesPerSecond ?? 0,
    },
    percent,
    planDone: record.planDone,
    expected: record.expected,
    finishAt: finish === null ? null : iso(finish.at),
    finishOpenings: finish?.openings ?? null,
    seconds: (live?.activeMs ?? record.activeMs) / 1000,
    requests: live?.requests ?? record.requests,
    statements: live?.statements ?? record.statements,
    spec: record.spec,
    approvedBy: record.approvedBy,
    version: record.version,
    createdAt: iso(record.createdAt),
    updatedAt: iso(record.updatedAt),
    startedAt: record.startedAt === null ? null : iso(record.startedAt),
    finishedAt: record.finishedAt === null ? null : iso(record.finishedAt),
  };
}

/** The summary that `run`, `demo` and `watch` end with. */
export interface JobSummary {
  readonly jobId: string;
  readonly state: JobState;
  readonly objects: {
    readonly planned: number;
    readonly moved: number;
    readonly skipped: number;
    readonly exceptions: number;
  };
  readonly rows: { readonly updated: number };
  readonly bytes: number;
  readonly seconds: number;
  readonly requests: RequestCounts;
  readonly statements: Readonly<Record<string, number>>;
}

/** The summary of a job. */
export function summaryOf(view: JobView): JobSummary {
  const { planned, moved, skipped, exceptions } = view.objects;
  return {
    jobId: view.id,
    state: view.state,
    objects: { planned, moved, skipped, exceptions },
    rows: view.rows,
    bytes: view.bytes,
    seconds: view.seconds,
    requests: view.requests,
    statements: view.statements,
  };
}

/** At most 99.9 while the total is only expected. */
function percentOf({ state, planDone }: JobRecord, settled: number, inAll: number | null): number | null {
  if (state === "completed") return 100;
  if (inAll === null) return null;
  const percent = inAll === 0 ? 100 : Math.floor((settled / inAll) * 1000) / 10;
  return planDone ? percent : Math.min(99.9, percent);
}

function waitingOf(record: JobRecord): JobView["waiting"] {
  if (record.waiting === null) return null;
  const { reason, since, until, detail } = record.waiting;
  return { reason, since: iso(since), until: until === null ? null : iso(until), detail };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
