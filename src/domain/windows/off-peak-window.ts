/** When a job may work, and within which limits: a pure predicate over instants. No clock and no timer. */

import type { Limits, Windows } from "../job-spec.ts";
import type { LocalCalendar } from "./local-calendar.ts";
import { type WindowState, WindowTable } from "./window-table.ts";

/** No change of clocks ever moved them by more than a day (the date line: Samoa 2011, 24 hours). */
const WIDEST_MOVE_MS = 2 * 86_400_000;

/**
 * The windows of one job. They are open at an instant exactly when a clock on the wall of their zone then shows a time
 * within one of them: what clocks skip never opens, what they show twice is open twice. Instants are epoch
 * milliseconds; a window includes its beginning and excludes its end.
 */
export class OffPeakWindow {
  readonly #timezone: string;
  readonly #calendar: LocalCalendar;
  readonly #table: WindowTable;

  /** @param limits the job's own, over which a window's limits are laid */
  constructor(windows: Windows, limits: Limits, calendar: LocalCalendar) {
    this.#timezone = windows.timezone;
    this.#calendar = calendar;
    this.#table = new WindowTable(windows, limits);
  }

  isOpen(at: number): boolean {
    return this.stateAt(at).isOpen;
  }

  /** Open or not, and the limits in force. Where windows overlap the stricter of each limit holds; shut, the job's hold. */
  stateAt(at: number): WindowState {
    const { offsetMs } = this.#calendar.utcOffset(this.#timezone, at);
    return this.#table.intervalAt(at + offsetMs).state;
  }

  limitsAt(at: number): Limits {
    return this.stateAt(at).limits;
  }

  /** The first instant after `at` at which they open or close or other limits come into force; null when none ever does. */
  nextChange(at: number): number | null {
    const before = this.stateAt(at);
    let time = at;
    for (;;) {
      const { offsetMs, until } = this.#calendar.utcOffset(this.#timezone, time);
      while (time < until) {
        const interval = this.#table.intervalAt(time + offsetMs);
        if (interval.state !== before) return time;
        if (interval.until === Infinity) return null;
        const end = interval.until - offsetMs;
        // A spell of years is walked over at its end only: no change of clocks within it can lead out of it.
        time = end <= until ? end : Math.max(until, end - WIDEST_MOVE_MS);
      }
    }
  }

  /** `at` itself when they are open, else the instant they open next; null when they never do. */
  nextOpening(at: number): number | null {
    return this.isOpen(at) ? at : this.nextChange(at);
  }
}
