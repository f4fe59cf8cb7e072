/** When work ends that goes on only while windows are open. */

import type { Limits } from "./job-spec.ts";
import type { OffPeakWindow } from "./windows/off-peak-window.ts";

/** An estimate further ahead than three years says nothing. */
export const FARTHEST_MS = 3 * 366 * 86_400_000;

export interface FinishEstimate {
  /** Epoch milliseconds. */
  readonly at: number;
  /** How many separate openings the work takes, the present one included: "after 3 nights". */
  readonly openings: number;
}

/**
 * When `seconds` of work (at speed 1, ≥ 0) that goes on from `from` only while `window` is open will be done; null when
 * not within three years. `speedOf` tells how fast it goes within limits, > 0, relative to the rate `seconds` was
 * reckoned at; without it limits make no difference.
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
      // What is left over by less than a millisecond is left by rounding, and not worth another night.
      if (end < until + 1) return end <= farthest ? { at: Math.min(Math.ceil(end), until), openings } : null;
      left -= (until - at) * speed;
    }
    wasOpen = isOpen;
  }
  return null;
}

/** How many separate openings of `window` lie between `from` and `to`, those that begin or end in between included. */
export function openingsBetween(window: OffPeakWindow, from: number, to: number): number {
  let openings = 0;
  let wasOpen = false;
  for (const { isOpen, at } of spans(window, from, to)) {
    if (isOpen && !wasOpen && (at < to || at === from)) openings += 1;
    wasOpen = isOpen;
  }
  return openings;
}

/** The spans of one state from `from` on, until one begins after `farthest`. */
function* spans(window: OffPeakWindow, from: number, farthest: number) {
  for (let at = from; at <= farthest; ) {
    const until = window.nextChange(at) ?? Infinity;
    yield { ...window.stateAt(at), at, until };
    at = until;
  }
}
