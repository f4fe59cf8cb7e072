/** `finishTime`: estimates a job's end from the remaining objects, the last measured rate, windows, limits and grace. Pure. */

import { estimateFinish, openingsBetween } from "../../domain/finish-estimate.ts";
import { gracePeriodMs } from "../../domain/grace-period.ts";
import type { JobSpec, Limits } from "../../domain/job-spec.ts";
import { isFinished } from "../../domain/job-state.ts";
import type { Tally } from "../../domain/tally.ts";
import type { LocalCalendar } from "../../domain/windows/local-calendar.ts";
import { OffPeakWindow } from "../../domain/windows/off-peak-window.ts";
import type { JobRecord } from "../../ports/ledger.ts";
import { copiedSoFar, type MeasuredRates, settledSoFar } from "../run/progress-meter.ts";

/** A rate at this share of a limit or above counts as bound by that limit. */
const LIMITED_SHARE = 0.8;

/** The estimated end of a job. */
export interface Finish {
  /** Epoch milliseconds. */
  readonly at: number;
  /** Openings of the job's windows until then, including a present one; null without windows. */
  readonly openings: number | null;
}

/**
 * The total number of objects of the job: those planned, or, until planning is done, the greater of planned and expected.
 * Null before the inventory was counted.
 */
export function totalObjects({ planDone, expected }: JobRecord, { planned }: Tally): number | null {
  if (planDone) return planned;
  return expected === null ? null : Math.max(planned, expected.objects);
}

/** Null while it cannot be estimated: the inventory is not counted, an approval is missing, or no rate is known. */
export function finishTime(
  record: JobRecord,
  tally: Tally,
  measured: MeasuredRates | null,
  { now, calendar }: { readonly now: number; readonly calendar: LocalCalendar },
): Finish | null {
  const { spec, waiting } = record;
  const inAll = totalObjects(record, tally);
  if (isFinished(record.state) || inAll === null || measured === null) return null;
  if (spec.delete.when === "approved" && record.approvedAt === null) return null;
  if (waiting !== null && waiting.reason !== "window" && waiting.reason !== "grace") return null;
  const window = spec.windows === null ? null : new OffPeakWindow(spec.windows, spec.limits, calendar);
  const speedOf = speedsOf(spec, tally, measured);
  const after = (seconds: number, from: number, stage: "copy" | "delete"): number | null => {
    const isBound = spec.windows?.stages.includes(stage) ?? false;
    if (window === null || !isBound) return from + (seconds * 1000) / speedOf(spec.limits);
    return estimateFinish(window, { seconds, from, speedOf })?.at ?? null;
  };
  const left = { toCopy: inAll - copiedSoFar(tally), toSettle: inAll - settledSoFar(tally) };
  const at = endOf(spec, left, measured, { now, after });
  if (at === null) return null;
  return { at, openings: window === null ? null : openingsBetween(window, now, at) };
}

type After = (seconds: number, from: number, stage: "copy" | "delete") => number | null;

/** Least duration of work: so that work which must wait for a window does not end before that opens. */
const LEAST_S = 0.001;

function endOf(
  { delete: deletion }: JobSpec,
  { toCopy, toSettle }: { readonly toCopy: number; readonly toSettle: number },
  measured: MeasuredRates,
  { now, after }: { readonly now: number; readonly after: After },
): number | null {
  const graceMs = gracePeriodMs(deletion);
  if (toCopy > 0) {
    if (measured.copiedPerSecond <= 0) return null;
    const copiedAt = after(toCopy / measured.copiedPerSecond, now, "copy");
    // The objects copied last are deleted last; earlier ones are deleted meanwhile.
    return copiedAt === null ? null : after(LEAST_S, copiedAt + graceMs, "delete");
  }
  if (graceMs > 0 && measured.updatedAt === null) return null;
  const dueAt = Math.max(now, (measured.updatedAt ?? 0) + graceMs);
  const seconds = measured.settledPerSecond > 0 ? toSettle / measured.settledPerSecond : LEAST_S;
  const workedOff = after(seconds, now, "delete");
  const due = after(LEAST_S, dueAt, "delete");
  return workedOff === null || due === null ? null : Math.max(workedOff, due);
}

/** The factor by which the rate changes under other limits than those it was measured under. */
function speedsOf(
  { limits: own }: JobSpec,
  tally: Tally,
  measured: MeasuredRates,
): (limits: Limits) => number {
  const rate = measured.copiedPerSecond;
  const bytesEach = tally.planned === 0 ? 0 : tally.bytes / tally.planned;
  const mostWithin = ({ requestsPerSecond, bytesPerSecond }: Limits) =>
    Math.min(
      requestsPerSecond ?? Number.POSITIVE_INFINITY,
      bytesPerSecond === null || bytesEach === 0 ? Number.POSITIVE_INFINITY : bytesPerSecond / bytesEach,
    );
  const mostMeasured = mostWithin(measured.limits ?? own);
  return (limits) => {
    const most = mostWithin(limits);
    if (rate <= 0 || most === mostMeasured) return 1;
    // A rate that no limit bound is reduced only by a limit below it.
    const isLimited = rate >= LIMITED_SHARE * mostMeasured && Number.isFinite(most);
    return isLimited ? most / mostMeasured : Math.min(1, most / rate);
  };
}
