/** The guard of the exception ratio: when it pauses a job, and the reason shown to the operator. */

import type { ExceptionCode } from "./batch.ts";

/** The ratio of fewer objects is no evidence: one bad object among the first ten must not pause a job. */
const LEAST_SETTLED = 100;

export interface ExceptionCount {
  readonly code: ExceptionCode;
  readonly count: number;
}

/** Whether more than `limit` (0–1; null: no limit) of `settled` objects are exceptions; never among fewer than 100. */
export function exceedsExceptionRatio(exceptions: number, settled: number, limit: number | null): boolean {
  return limit !== null && settled >= LEAST_SETTLED && exceptions / settled > limit;
}

/**
 * Why the guard paused the job, e.g. `3.2 % of the objects are exceptions (guards.maxExceptionRatio: 1 %): target_exists 120,
 * access_denied 7`. `top` are the most frequent codes, most frequent first; the remaining exceptions are shown as others.
 */
export function exceptionRatioReason(facts: {
  readonly exceptions: number;
  readonly settled: number;
  readonly limit: number;
  readonly top: readonly ExceptionCount[];
}): string {
  const { exceptions, settled, limit, top } = facts;
  const share = `${percentAbove(exceptions / settled, limit)} % of the objects are exceptions`;
  const told = top.map(({ code, count }) => `${code} ${count}`);
  const others = exceptions - top.reduce((sum, { count }) => sum + count, 0);
  if (told.length > 0 && others > 0) told.push(`others ${others}`);
  const codes = told.length === 0 ? "" : `: ${told.join(", ")}`;
  return `${share} (guards.maxExceptionRatio: ${plain(100 * limit)} %)${codes}`;
}

/** Rounded to as many decimals as show it above the limit, at least one unless it is a whole number. */
function percentAbove(ratio: number, limit: number): string {
  const shown = Number(plain(100 * limit));
  for (let decimals = 1; decimals <= 6; decimals += 1) {
    const rounded = Number((100 * ratio).toFixed(decimals));
    if (rounded > shown) return plain(rounded);
  }
  return plain(100 * ratio);
}

/** Without binary rounding errors: 7, not 7.000000000000001. */
function plain(percent: number): string {
  return String(Number(percent.toPrecision(10)));
}
