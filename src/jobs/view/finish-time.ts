/** When a job will be done: what is left at the rate at which it last went, its windows, its limits and its grace. Pure. */

import { durationMs } from "../../domain/duration.ts";
import { estimateFinish, openingsBetween } from "../../domain/finish-estimate.ts";
import type { JobSpec, Limits } from "../../domain/job-spec.ts";
import { isFinished } from "../../domain/job-state.ts";
import type { Tally } from "../../domain/tally.ts";
import type { LocalCalendar } from "../../domain/windows/local-calendar.ts";
import { OffPeakWindow } from "../../domain/windows/off-peak-window.ts";
import type { JobRecord } from "../../ports/ledger.ts";
import { copiedSoFar, type Pulse, settledSoFar } from "../run/progress-meter.ts";

/** Who goes at this share of a limit or faster goes as fast as the limit lets him. */
const BOUND = 0.8;

export interface Finish {
  /** Epoch milliseconds. */
  readonly at: number;
  /** Openings of the job's windows until then, the present one included; null without windows. */
  readonly openings: number | null;
}

/**
 * How many objects the job has in all: those planned, or, until all are, those it is expected to have, if these are
 * more. Null while nobody has counted.
 */
export function objectsInAll({ planDone, expected }: JobRecord, { planned }: Tally): number | null {
  if (planDone) return planned;
  return expected === null ? null : Math.max(planned, expected.objects);
}

/** Null while it is anybody's guess: nobody has counted, an approval is missing, or nothing is known of the rate. */
export function finishTime(
  record: JobRecord,
  tally: Tally,
  pulse: Pulse | null,
  { now, calendar }: { readonly now: number; readonly calendar: LocalCalendar },
): Finish | null {
  const { spec, waiting } = record;
  const inAll = objectsInAll(record, tally);
  if (isFinished(record.state) || inAll === null || pulse === null) return null;
  if (spec.delete.when === "approved" && record.approvedAt === null) return null;
  if (waiting !== null && waiting.reason !== "window" && waiting.reason !== "grace") return null;
  const window = spec.windows === null ? null : new OffPeakWindow(spec.windows, spec.limits, calendar);
  const speedOf = speedsOf(spec, tally, pulse);
  const after = (seconds: number, from: number, stage: "copy" | "delete"): number | null => {
    const isBound = spec.windows?.stages.includes(stage) ?? false;
    if (window === null || !isBound) return from + (seconds * 1000) / speedOf(spec.limits);
    return estimateFinish(window, { seconds, from, speedOf })?.at ?? null;
  };
  const left = { toCopy: inAll - copiedSoFar(tally), toSettle: inAll - settledSoFar(tally) };
  const at = endOf(spec, left, pulse, { now, after });
  if (at === null) return null;
  return { at, openings: window === null ? null : openingsBetween(window, now, at) };
}

type After = (seconds: number, from: number, stage: "copy" | "delete") => number | null;

/** Least time that any work takes: what may only begin when windows open is not done before. */
const LEAST_S = 0.001;

function endOf(
  { delete: deletion }: JobSpec,
  { toCopy, toSettle }: { readonly toCopy: number; readonly toSettle: number },
  pulse: Pulse,
  { now, after }: { readonly now: number; readonly after: After },
): number | null {
  const graceMs = deletion.when === "never" ? 0 : durationMs(deletion.after);
  if (toCopy > 0) {
    if (pulse.copiedPerSecond <= 0) return null;
    const copiedAt = after(toCopy / pulse.copiedPerSecond, now, "copy");
    // Those copied last are the last to be deleted; the others are deleted meanwhile.
    return copiedAt === null ? null : after(LEAST_S, copiedAt + graceMs, "delete");
  }
  if (graceMs > 0 && pulse.updatedAt === null) return null;
  const dueAt = Math.max(now, (pulse.updatedAt ?? 0) + graceMs);
  const seconds = pulse.settledPerSecond > 0 ? toSettle / pulse.settledPerSecond : LEAST_S;
  const workedOff = after(seconds, now, "delete");
  const due = after(LEAST_S, dueAt, "delete");
  return workedOff === null || due === null ? null : Math.max(workedOff, due);
}

/** How fast it will go within other limits than those it was measured in. */
function speedsOf({ limits: own }: JobSpec, tally: Tally, pulse: Pulse): (limits: Limits) => number {
  const rate = pulse.copiedPerSecond;
  const bytesEach = tally.planned === 0 ? 0 : tally.bytes / tally.planned;
  const mostWithin = ({ requestsPerSecond, bytesPerSecond }: Limits) =>
    Math.min(
      requestsPerSecond ?? Number.POSITIVE_INFINITY,
      bytesPerSecond === null || bytesEach === 0 ? Number.POSITIVE_INFINITY : bytesPerSecond / bytesEach,
    );
  const measured = mostWithin(pulse.limits ?? own);
  return (limits) => {
    const most = mostWithin(limits);
    if (rate <= 0 || most === measured) return 1;
    // Where no limit held it back, only a lower one will.
    const isBound = rate >= BOUND * measured && Number.isFinite(most);
    return isBound ? most / measured : Math.min(1, most / rate);
  };
}
