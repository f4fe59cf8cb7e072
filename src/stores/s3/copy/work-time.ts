/** Tells how long a copy was at work, apart from the time in which it only waited to be let through. */

import type { WritePass } from "../../../ports/object-store.ts";

/**
 * Starts with the copy. What is excluded are the times in which writes waited at `pass` and none was under way: a window
 * that closes over night says nothing of the store's speed.
 */
export class WorkTime {
  readonly #now: () => number;
  readonly #begunMs: number;
  #waiting = 0;
  #running = 0;
  #idleSinceMs: number | null = null;
  #idleMs = 0;

  /** `now` is a monotonic clock in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#begunMs = now();
  }

  /** Milliseconds so far. */
  get ms(): number {
    return this.#now() - this.#begunMs - this.#idleMs;
  }

  /** As `pass`, and watched. */
  watch(pass: WritePass): WritePass {
    return async (writes, attempt, signal, terms) => {
      this.#move("waiting", 1);
      try {
        return await pass(writes, () => this.#run(attempt), signal, terms);
      } finally {
        this.#move("waiting", -1);
      }
    };
  }

  async #run<Result>(attempt: () => Promise<Result>): Promise<Result> {
    this.#move("running", 1);
    try {
      return await attempt();
    } finally {
      this.#move("running", -1);
    }
  }

  #move(what: "waiting" | "running", by: 1 | -1): void {
    if (what === "waiting") this.#waiting += by;
    else this.#running += by;
    const now = this.#now();
    const isIdle = this.#waiting > 0 && this.#running === 0;
    if (isIdle) this.#idleSinceMs ??= now;
    else if (this.#idleSinceMs !== null) {
      this.#idleMs += now - this.#idleSinceMs;
      this.#idleSinceMs = null;
    }
  }
}
