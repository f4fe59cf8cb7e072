/** Waits for the report of a job that has ended, and gives the results in it. */

import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { ADVICE, type ExceptionCode } from "../../domain/batch.ts";
import { hasCode } from "../../domain/errors.ts";
import { chunksUntilStopped } from "../../pacing/chunks-until-stopped.ts";
import type { Clock } from "../../ports/clock.ts";
import type { OnCopyResult } from "../../ports/copy-engine.ts";
import type { CopyResult } from "../../ports/object-store.ts";
import type { AskedCopies } from "./asked-copies.ts";
import {
  type CheckedReport,
  checkReport,
  type NoReport,
  type ReportObjects,
  type ReportPlace,
  type ReportRow,
  reportRows,
} from "./completion-report.ts";
import { engineFault, vendorCode } from "./engine-faults.ts";
import { type EngineRequests, throwIfStopped } from "./engine-requests.ts";
import { decodeOutcome, type TaskOutcome } from "./task-outcome.ts";
import type { WaitNotes } from "./wait-notes.ts";

const FIRST_LOOK_MS = 1_000;
const MISSING: ReadonlySet<string> = new Set(["NoSuchKey", "NotFound", "PreconditionFailed"]);

export interface ReportParts {
  readonly s3: S3Client;
  readonly requests: EngineRequests;
  readonly clock: Clock;
  readonly reportWaitMs: number;
  readonly mostPollMs: number;
  readonly waits: WaitNotes;
}

/** What a report held beside the results that were given. */
export interface TakenReport {
  /** Copies that were not begun, as their time was over. */
  readonly held: number;
  /** Code and message of a failed task; null where none was reported. */
  readonly failure: string | null;
}

const NOTHING: TakenReport = { held: 0, failure: null };

/**
 * Gives the results of the report at `place`, which is waited for; of each row that is an answer to a copy that was `asked`
 * for. A report that does not come or cannot be believed gives none. Throws `stopped`, `engine_unavailable` and
 * `engine_refused`.
 */
export async function takeInReport(
  parts: ReportParts,
  place: ReportPlace,
  asked: () => Promise<AskedCopies>,
  onResult: OnCopyResult,
  signal: AbortSignal,
): Promise<TakenReport> {
  // S3 writes no report for a job of which no task was carried out.
  if (place.tasks === 0) return NOTHING;
  const objects = objectsIn(parts, place.bucket, signal);
  const report = await awaitReport(parts, objects, place, signal);
  if (report === null) return NOTHING;
  const copies = await asked();
  let held = 0;
  let failure: string | null = null;
  for await (const row of reportRows(objects, report)) {
    throwIfStopped(signal);
    if (!row.succeeded) failure ??= oneLine(`${row.errorCode} ${row.message}`);
    const answer = answerIn(row, copies);
    if (answer?.outcome.kind === "held") held += 1;
    const result = answer === null ? null : resultOf(answer.outcome);
    const more = answer === null || result === null ? undefined : onResult(answer.number, result);
    if (more !== undefined) await more;
  }
  return { held, failure };
}

/** The answer in `row`; null where it is none, or none to a copy that was asked for. */
function answerIn(row: ReportRow, copies: AskedCopies) {
  const outcome = row.succeeded ? decodeOutcome(row.message) : null;
  const task = outcome === null ? null : copies.taskOf(row.key);
  return outcome === null || task === null ? null : { number: task.number, outcome };
}

/** The report, looked for again and again; null when it has not come in time. */
async function awaitReport(
  { clock, reportWaitMs, mostPollMs, waits }: ReportParts,
  objects: ReportObjects,
  place: ReportPlace,
  signal: AbortSignal,
): Promise<CheckedReport | null> {
  const until = clock.monotonic() + reportWaitMs;
  const wallUntil = clock.now() + reportWaitMs;
  for (let pauseMs = FIRST_LOOK_MS; ; pauseMs *= 1.5) {
    const report: CheckedReport | NoReport = await checkReport(objects, place);
    if ("files" in report) return report;
    const leftMs = until - clock.monotonic();
    if (leftMs <= 0) return null;
    waits.wait(`the report of job ${place.jobId} cannot be used yet: ${report.because}`, wallUntil);
    await clock.sleep(Math.min(pauseMs, mostPollMs, leftMs), signal);
  }
}

function objectsIn({ s3, requests }: ReportParts, bucket: string, signal: AbortSignal): ReportObjects {
  return {
    async open(key, etag) {
      const doing = `reading the report ${bucket}/${key}`;
      const condition = etag === undefined ? {} : { IfMatch: `"${etag}"` };
      try {
        const { Body, ETag } = await requests.send(doing, signal, (abortSignal) =>
          s3.send(new GetObjectCommand({ Bucket: bucket, Key: key, ...condition }), { abortSignal }),
        );
        const body = untilStopped(Body as AsyncIterable<Uint8Array>, doing, signal);
        return { etag: ETag?.replaceAll('"', "") ?? "", body };
      } catch (error) {
        if (hasCode(error, "engine_refused") && MISSING.has(vendorCode(error) ?? "")) return null;
        throw error;
      }
    },
  };
}

/** The chunks of `body`; throws `stopped`, also while one is awaited, or the error of a read that was cut short. */
async function* untilStopped(body: AsyncIterable<Uint8Array>, doing: string, signal: AbortSignal) {
  try {
    yield* chunksUntilStopped(body, signal, (next) => next());
  } catch (error) {
    throw engineFault(error, doing);
  }
}

/** What `outcome` says to the copy stage; null for a copy that was not begun, which stays unanswered. */
function resultOf(outcome: TaskOutcome): CopyResult | null {
  switch (outcome.kind) {
    case "held":
      return null;
    case "failed":
      return { kind: "failed", failure: { code: exceptionCode(outcome.code), message: outcome.message } };
    case "copied":
      return { kind: "copied", etag: outcome.etag };
    default:
      return { kind: outcome.kind };
  }
}

function exceptionCode(code: string): ExceptionCode {
  return Object.hasOwn(ADVICE, code) ? (code as ExceptionCode) : "copy_refused";
}

function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\s]+/gu, " ").slice(0, 200);
}
