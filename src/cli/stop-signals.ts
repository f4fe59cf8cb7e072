/** SIGTERM and SIGINT: the first asks for a graceful stop, the second ends the process at once. */

/** The part of `process` that is needed. */
export interface SignalledProcess {
  on(event: "SIGTERM" | "SIGINT", listener: () => void): unknown;
  exit(code: number): void;
}

/**
 * Whatever still hangs after this long is not worth waiting for: everything that counts is in the ledger. With the time
 * it takes to notice and to end, it is the 10 s that were promised.
 */
const MOST_STOPPING_MS = 9_000;

/** Gives the function that hands out the signal; handlers are set at its first call, not before. */
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
