/** `preflight`: reports what a job would do and what prevents it. Writes nothing, except for the canary. */

import { engineFaults } from "../../domain/engines/engine-faults.ts";
import type { Fault } from "../../domain/errors.ts";
import { hasCode, messageOf } from "../../domain/errors.ts";
import { estimateFinish } from "../../domain/finish-estimate.ts";
import type { JobSpec } from "../../domain/job-spec.ts";
import { specFaults } from "../../domain/job-spec-faults.ts";
import type { LocalCalendar } from "../../domain/windows/local-calendar.ts";
import { OffPeakWindow } from "../../domain/windows/off-peak-window.ts";
import { windowWarnings } from "../../domain/windows/window-warnings.ts";
import type { WriteProtection } from "../../ports/object-store.ts";
import type { JobParts } from "../job-parts.ts";
import { storesForLooking } from "../run/job-context.ts";
import { environmentFaults, namesOf } from "../submit/job-submission.ts";
import { readJobSpec } from "../submit/parse-job-spec.ts";
import { sendCanary } from "./canary.ts";
import { countObjects, EMPTY_COUNT, type ObjectCount } from "./preflight-count.ts";
import { engineReport, NO_ENGINES } from "./preflight-engines.ts";
import { guardProblems } from "./preflight-guards.ts";
import { protectionProblems, UNKNOWN_PROTECTION } from "./preflight-protection.ts";
import type { PreflightProblem, PreflightReport } from "./preflight-report.ts";
import { requestsOf } from "./preflight-requests.ts";
import {
  type InspectedTable,
  inspectTables,
  structureProblems,
  unnamedObjectProblems,
} from "./preflight-tables.ts";

/** `canary`: also write, copy, read and delete one object. `onProgress`: called with the number of objects counted so far. */
export interface PreflightOptions {
  readonly canary: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (objects: number) => void;
}

/**
 * Reports on the job that `input` describes. Throws `invalid_input` only where `input` does not match the schema, and
 * `stopped` when `signal` aborts; all else is in the report.
 */
export async function preflight(
  parts: JobParts,
  input: unknown,
  options: PreflightOptions,
): Promise<PreflightReport> {
  const spec = readJobSpec(input);
  const known = namesOf(parts);
  const faults = specFaults(spec, known);
  // The objects of a job whose engine does not fit are counted: the report is to show what the others would take.
  const unfit = engineFaults(spec, known.engines).map(toProblem);
  if (faults.length > 0) {
    return report(spec, { ...NOTHING_FOUND, problems: [...faults.map(toProblem), ...unfit] }, parts);
  }
  const problems: PreflightProblem[] = [...unfit];
  let count = EMPTY_COUNT;
  let tables: InspectedTable[] = [];
  let protection = UNKNOWN_PROTECTION;
  try {
    const missing = await environmentFaults(parts, spec);
    problems.push(...missing.map(toProblem));
    if (missing.length === 0) {
      tables = await inspectTables(parts, spec);
      const isSearchable = tables.map((table) => table.isSearchable);
      count = await countObjects(parts, spec, isSearchable, options);
      problems.push(...count.problems, ...structureProblems(tables, count));
      problems.push(...(await unnamedObjectProblems(parts, spec, tables, options.signal)));
      problems.push(...(await guardProblems(parts, spec)));
      const stores = storesForLooking(parts, spec);
      if (options.canary) problems.push(...(await sendCanary(stores, spec, parts.clock)));
      const source = stores(spec.source.store);
      protection = source.protection();
      const { versioning } = await source.bucketFacts(spec.source.bucket, options.signal);
      problems.push(...protectionProblems(protection, spec, versioning === "enabled"));
    }
  } catch (error) {
    problems.push(unreachable(error));
  }
  problems.push(...windowWarnings(spec, parts.calendar, parts.clock.now()).map(toWarning));
  return report(spec, { count, tables, problems, protection }, parts);
}

/** The parts of the report. */
interface Seen {
  readonly count: ObjectCount;
  readonly tables: readonly InspectedTable[];
  readonly problems: readonly PreflightProblem[];
  readonly protection: WriteProtection;
}

const NOTHING_FOUND: Seen = { count: EMPTY_COUNT, tables: [], problems: [], protection: UNKNOWN_PROTECTION };

function toProblem(fault: Fault): PreflightProblem {
  const message = `${fault.pointer}: ${fault.message}`;
  return { severity: "error", code: fault.code ?? "invalid_job", message, examples: [] };
}

function toWarning(warning: Fault): PreflightProblem {
  return { ...toProblem(warning), severity: "warning" };
}

function unreachable(error: unknown): PreflightProblem {
  if (hasCode(error, "stopped")) throw error;
  const known = hasCode(
    error,
    "store_unavailable",
    "store_denied",
    "store_credentials",
    "store_refused",
    "bucket_missing",
    "database_unavailable",
    "database_refused",
    "manifest_invalid",
  );
  if (!known) throw error;
  return { severity: "error", code: error.code, message: messageOf(error), examples: [] };
}

function report(
  spec: JobSpec,
  { count, tables, problems, protection }: Seen,
  parts: JobParts,
): PreflightReport {
  const requests = requestsOf(spec, count, protection);
  const { calendar, clock } = parts;
  const engines = count === EMPTY_COUNT ? NO_ENGINES : engineReport(parts, spec, count, requests);
  const { estimatedSeconds } = engines;
  return {
    ok: problems.every((problem) => problem.severity !== "error"),
    objects: count.objects,
    bytes: count.bytes,
    rows: rowsOf(tables),
    requests,
    ...engines,
    finishAt: count.objects === 0 ? null : finishAt(spec, estimatedSeconds, clock.now(), calendar),
    protection,
    problems,
  };
}

/** The time (ISO 8601) at which `seconds` of work end that begin now, or when the windows open; null when never. */
function finishAt(spec: JobSpec, seconds: number, now: number, calendar: LocalCalendar): string | null {
  const window = spec.windows === null ? null : new OffPeakWindow(spec.windows, spec.limits, calendar);
  const at = window === null ? now + seconds * 1000 : estimateFinish(window, { seconds, from: now })?.at;
  return at === undefined ? null : new Date(at).toISOString();
}

function rowsOf(tables: readonly InspectedTable[]): PreflightReport["rows"] {
  return Object.fromEntries(
    tables.map(({ reference: { database, table, column }, facts }) => [
      `${database}.${table}.${column}`,
      facts.estimatedRows,
    ]),
  );
}
