/** When a job may work, and within which limits: a pure function of the instant. No clock and no timer. */

import type { Limits, Windows } from "../job-spec.ts";
import type { LocalCalendar } from "./local-calendar.ts";
import { type WindowState, WindowTable } from "./window-table.ts";

/** Above any change of UTC offset; the largest was a day (Samoa crossed the date line in 2011: 24 hours). */
const WIDEST_MOVE_MS = 2 * 86_400_000;

/**
 * The windows of one job. They are open at an instant exactly when the local time of their zone then lies within one of
 * them: skipped local times never open, repeated ones are open twice. Instants are epoch milliseconds; a window includes
 * its beginning and excludes its end.
 */
export class OffPeakWindow {
  readonly #timezone: string;
  readonly #calendar: LocalCalendar;
  readonly #table: WindowTable;

  /** @param limits the job's own, which a window's limits override */
  constructor(windows: Windows, limits: Limits, calendar: LocalCalendar) {
    this.#timezone = windows.timezone;
    this.#calendar = calendar;
    this.#table = new WindowTable(windows, limits);
  }

  isOpen(at: number): boolean {
    return this.stateAt(at).isOpen;
  }

  /** Open or not, and the limits in force: the stricter of each limit where windows overlap; the job's own while closed. */
  stateAt(at: number): WindowState {
    const { offsetMs } = this.#calendar.utcOffset(this.#timezone, at);
    return this.#table.intervalAt(at + offsetMs).state;
  }

  limitsAt(at: number): Limits {
    return this.stateAt(at).limits;
  }

  /** The first instant after `at` at which windows open or close or the limits change; null when there is none. */
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
        // An interval of years is skipped to shortly before its end: no offset change within it can leave it.
        time = end <= until ? end : Math.max(until, end - WIDEST_MOVE_MS);
      }
    }
  }

  /** `at` itself when windows are open, else the instant of the next opening; null when there is none. */
  nextOpening(at: number): number | null {
    return this.isOpen(at) ? at : this.nextChange(at);
  }
}
