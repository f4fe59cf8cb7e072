/** Estimated end of work that is done only while windows are open. */

import type { Limits } from "./job-spec.ts";
import type { OffPeakWindow } from "./windows/off-peak-window.ts";

/** Estimates further ahead than three years are not given. */
export const FARTHEST_MS = 3 * 366 * 86_400_000;

export interface FinishEstimate {
  /** Epoch milliseconds. */
  readonly at: number;
  /** Number of separate openings the work takes, the present one included: "after 3 nights". */
  readonly openings: number;
}

/**
 * When `seconds` of work (at speed 1, ≥ 0), done from `from` (epoch ms) on only while `window` is open, will end; null when
 * not within three years. `speedOf` gives the speed under limits, > 0, relative to the rate that `seconds` was computed
 * with; by default limits make no difference.
 */
export function estimateFinish(
  window: OffPeakWindow,
  {
    seconds,
    from,
    speedOf = () => 1,
  }: { seconds: number; from: number; speedOf?: (limits: Limits) => number },
): FinishEstimate | null {
  const farthest = from + FARTHEST_MS;
  let left = seconds * 1000;
  if (left <= 0) return { at: from, openings: 0 };
  let openings = 0;
  let wasOpen = false;
  for (const { isOpen, limits, at, until } of spans(window, from, farthest)) {
    if (isOpen) {
      if (!wasOpen) openings += 1;
      const speed = speedOf(limits);
      const end = at + left / speed;
      // A remainder of less than a millisecond is a rounding error, not work for another opening.
      if (end < until + 1) return end <= farthest ? { at: Math.min(Math.ceil(end), until), openings } : null;
      left -= (until - at) * speed;
    }
    wasOpen = isOpen;
  }
  return null;
}

/** Number of separate openings of `window` between `from` and `to` (epoch ms), those that begin or end in between included. */
export function openingsBetween(window: OffPeakWindow, from: number, to: number): number {
  let openings = 0;
  let wasOpen = false;
  for (const { isOpen, at } of spans(window, from, to)) {
    if (isOpen && !wasOpen && (at < to || at === from)) openings += 1;
    wasOpen = isOpen;
  }
  return openings;
}

/** The spans of constant state from `from` on, until one begins after `farthest`. */
function* spans(window: OffPeakWindow, from: number, farthest: number) {
  for (let at = from; at <= farthest; ) {
    const until = window.nextChange(at) ?? Infinity;
    yield { ...window.stateAt(at), at, until };
    at = until;
  }
}
