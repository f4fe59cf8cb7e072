/** Windows as they are asked about at every request: the answer is kept until it can change. */

import type { OffPeakWindow } from "./off-peak-window.ts";
import type { WindowState } from "./window-table.ts";

/** What holds from one instant until another; epoch milliseconds. */
export interface WindowSpan extends WindowState {
  /** From here on it is known to hold. */
  readonly from: number;
  /** Exclusive: the next opening, closing or change of limits; null when none comes. */
  readonly until: number | null;
}

/** Remembers the span of the last answer; a question within it costs two comparisons. */
export class WindowClock {
  readonly #window: OffPeakWindow;
  #span: WindowSpan | null = null;

  constructor(window: OffPeakWindow) {
    this.#window = window;
  }

  /** What holds at `at`. Asks anew once `at` has left the span, forwards or backwards (a clock that was put right). */
  spanAt(at: number): WindowSpan {
    const known = this.#span;
    if (known !== null && at >= known.from && (known.until === null || at < known.until)) return known;
    const span = { ...this.#window.stateAt(at), from: at, until: this.#window.nextChange(at) };
    this.#span = span;
    return span;
  }
}
