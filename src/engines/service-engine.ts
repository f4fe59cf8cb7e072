/** ServiceEngine: copies from this process, by one CopyObject (or multipart copy) an object, as concurrently as allowed. */

import type { Concurrency } from "../pacing/concurrency.ts";
import type { CopyEngine, NumberedCopy, OnCopyResult } from "../ports/copy-engine.ts";
import type { ObjectStore } from "../ports/object-store.ts";

/** Copies through `store` within the limit of `concurrency`, which all batches of the job share. */
export class ServiceEngine implements CopyEngine {
  readonly #store: Pick<ObjectStore, "copy">;
  readonly #concurrency: Concurrency;

  constructor(store: Pick<ObjectStore, "copy">, concurrency: Concurrency) {
    this.#store = store;
    this.#concurrency = concurrency;
  }

  copy(requests: readonly NumberedCopy[], onResult: OnCopyResult, signal: AbortSignal): Promise<void> {
    return this.#concurrency.each(requests, async ({ number, request }, free) => {
      // The slot is released as soon as the store has answered, before the answer is processed.
      const result = await this.#store.copy({ ...request, onAnswered: free }, signal);
      onResult(number, result);
    });
  }
}
