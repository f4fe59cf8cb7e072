/** WindowClock: caches the state of a job's windows, which is queried for every request, until it can change. */

import type { OffPeakWindow } from "./off-peak-window.ts";
import type { WindowState } from "./window-table.ts";

/** A window state and the instants between which it applies; epoch milliseconds. */
export interface WindowSpan extends WindowState {
  /** Inclusive. */
  readonly from: number;
  /** Exclusive: the next opening, closing or change of limits; null when none comes. */
  readonly until: number | null;
}

/** Caches the last span; a query within it costs two comparisons. */
export class WindowClock {
  readonly #window: OffPeakWindow;
  #span: WindowSpan | null = null;

  constructor(window: OffPeakWindow) {
    this.#window = window;
  }

  /** The span that contains `at`; computed anew when `at` lies outside the cached one, also before it (a clock set back). */
  spanAt(at: number): WindowSpan {
    const known = this.#span;
    if (known !== null && at >= known.from && (known.until === null || at < known.until)) return known;
    const span = { ...this.#window.stateAt(at), from: at, until: this.#window.nextChange(at) };
    this.#span = span;
    return span;
  }
}
