/** Reads on until a stop signal aborts. */

import { DomainError } from "../domain/errors.ts";

/**
 * The chunks of `source`, each by `attempt`; throws `stopped` as soon as `signal` aborts, also while a chunk is waited for
 * that never comes.
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
    // A generator that still waits for its chunk would be waited for.
    const left = chunks.return?.();
    if (signal?.aborted) left?.catch(() => {});
    else await left;
  }
}

/** Resolves when `signal` aborts, or has; `forget` takes the listener away. */
function listen(signal: AbortSignal): { readonly aborted: Promise<undefined>; forget(): void } {
  let listener = () => {};
  const aborted = new Promise<undefined>((resolve) => {
    listener = () => resolve(undefined);
    signal.addEventListener("abort", listener, { once: true });
    if (signal.aborted) listener();
  });
  return { aborted, forget: () => signal.removeEventListener("abort", listener) };
}
