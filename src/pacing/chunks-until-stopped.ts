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
      const next = stop === null ? await coming : await Promise.race([stop.aborted, coming]);
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

/** Resolves when `signal` aborts, or has; `forget` removes the listener. */
function listen(signal: AbortSignal): { readonly aborted: Promise<undefined>; forget(): void } {
  let listener = () => {};
  const aborted = new Promise<undefined>((resolve) => {
    listener = () => resolve(undefined);
    signal.addEventListener("abort", listener, { once: true });
    if (signal.aborted) listener();
  });
  return { aborted, forget: () => signal.removeEventListener("abort", listener) };
}
