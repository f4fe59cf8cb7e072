/** One abort listener for all that wait with one signal: hundreds of a job's requests wait with the signal of its run. */

export class SharedAborts {
  readonly #waking = new WeakMap<AbortSignal, Set<() => void>>();

  /**
   * Calls `wake` once when `signal`, which is not aborted yet, aborts; gives a function that cancels that. The listener is
   * removed with the last of them, so a signal that lives for weeks accumulates none.
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

  /** One function for all signals: adding it to a signal a second time has no effect. */
  readonly #wakeAll = (event: Event): void => {
    const signal = event.target as AbortSignal;
    const waking = this.#waking.get(signal);
    this.#waking.delete(signal);
    for (const wake of waking ?? []) wake();
  };
}
