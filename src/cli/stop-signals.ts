/** SIGTERM and SIGINT: the first starts a graceful stop, the second ends the process at once. */

/** The part of `process` that is used. */
export interface SignalledProcess {
  on(event: "SIGTERM" | "SIGINT", listener: () => void): unknown;
  exit(code: number): void;
}

/**
 * Time after which the process ends even if something still hangs, since the state is in the ledger. With the time to
 * notice and to end, a stop takes at most the documented 10 s.
 */
const MOST_STOPPING_MS = 9_000;

/** Gives a function that gives the abort signal; handlers are installed at its first call. */
export function stopSignals(target: SignalledProcess, note: (text: string) => void): () => AbortSignal {
  let controller: AbortController | null = null;
  return () => {
    if (controller !== null) return controller.signal;
    const stop = new AbortController();
    controller = stop;
    const onSignal = () => {
      if (stop.signal.aborted) {
        target.exit(1);
        return;
      }
      note("\ntranship: stopping, at most 10 s; once more to stop at once\n");
      setTimeout(() => target.exit(1), MOST_STOPPING_MS).unref();
      stop.abort();
    };
    target.on("SIGTERM", onSignal);
    target.on("SIGINT", onSignal);
    return stop.signal;
  };
}
