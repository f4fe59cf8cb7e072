/** One listener on a signal for all who wait with it: of a job's requests hundreds wait at once, for the one stop of their run. */

export class SharedAborts {
  readonly #waking = new WeakMap<AbortSignal, Set<() => void>>();

  /**
   * Has `wake` called once when `signal`, not aborted yet, is aborted; gives what takes that back. The listener goes with
   * the last who waits, so a signal that lives for weeks gathers nothing.
   */
  on(signal: AbortSignal, wake: () => void): () => void {
    const known = this.#waking.get(signal);
    const waking = known ?? new Set();
    if (known === undefined) {
      this.#waking.set(signal, waking);
      signal.addEventListener("abort", this.#wakeAll, { once: true });
    }
    waking.add(wake);
    return () => {
      waking.delete(wake);
      if (waking.size > 0 || this.#waking.get(signal) !== waking) return;
      this.#waking.delete(signal);
      signal.removeEventListener("abort", this.#wakeAll);
    };
  }

  /** One function for all signals: adding it a second time adds nothing. */
  readonly #wakeAll = (event: Event): void => {
    const signal = event.target as AbortSignal;
    const waking = this.#waking.get(signal);
    this.#waking.delete(signal);
    for (const wake of waking ?? []) wake();
  };
}
