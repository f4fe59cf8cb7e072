/** The engine that copies by itself: one server-side copy request an object, as many at once as the job allows. */

import type { Concurrency } from "../pacing/concurrency.ts";
import type { CopyEngine, NumberedCopy, OnCopyResult } from "../ports/copy-engine.ts";
import type { ObjectStore } from "../ports/object-store.ts";

/** Copies through `store`, in places of `concurrency`, which batches share. */
export class ServiceEngine implements CopyEngine {
  readonly #store: Pick<ObjectStore, "copy">;
  readonly #concurrency: Concurrency;

  constructor(store: Pick<ObjectStore, "copy">, concurrency: Concurrency) {
    this.#store = store;
    this.#concurrency = concurrency;
  }

  copy(requests: readonly NumberedCopy[], onResult: OnCopyResult, signal: AbortSignal): Promise<void> {
    return this.#concurrency.each(requests, async ({ number, request }, free) => {
      // The place is free as soon as the store has answered, before the answer is worked up.
      const result = await this.#store.copy({ ...request, onAnswered: free }, signal);
      onResult(number, result);
    });
  }
}
