/** Reads an async iterable until a stop signal aborts. */

import { DomainError } from "../domain/errors.ts";

/**
 * Yields the chunks of `source`, each read through `attempt`. Throws `stopped` as soon as `signal` aborts, also while a
 * chunk is awaited that never arrives.
 */
export async function* chunksUntilStopped<Chunk>(
  source: AsyncIterable<Chunk>,
  signal: AbortSignal | undefined,
  attempt: <Result>(next: () => Promise<Result>) => Promise<Result>,
): AsyncGenerator<Chunk> {
  const chunks = source[Symbol.asyncIterator]();
  const stop = signal === undefined ? null : listen(signal);
  try {
    for (;;) {
      const coming = attempt(() => chunks.next());
      coming.catch(() => {});
      const next = stop === null ? await coming : await stop.unless(coming);
      if (next === undefined) throw new DomainError("stopped", "the job was asked to stop");
      if (next.done) return;
      yield next.value;
    }
  } finally {
    stop?.forget();
    // `return` of a generator that still awaits its chunk resolves only after that chunk.
    const closed = chunks.return?.();
    if (signal?.aborted) closed?.catch(() => {});
    else await closed;
  }
}

interface StopListener {
  /** What `coming` resolves to; undefined as soon as the signal aborts, or when it has. */
  unless<Result>(coming: Promise<Result>): Promise<Result | undefined>;
  forget(): void;
}

/**
 * A promise for each chunk: `Promise.race` with one that lives as long as the signal would keep every chunk in memory until the
 * end of the source.
 */
function listen(signal: AbortSignal): StopListener {
  let wake = () => {};
  const listener = () => wake();
  signal.addEventListener("abort", listener, { once: true });
  return {
    unless: (coming) =>
      new Promise((resolve, reject) => {
        wake = () => resolve(undefined);
        if (signal.aborted) wake();
        coming.then(resolve, reject);
      }),
    forget: () => signal.removeEventListener("abort", listener),
  };
}
