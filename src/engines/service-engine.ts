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
      // The place is free as soon as the store has answered. Another ETag than the source's may mean more requests.
      const onAnswered = (etag: string) => {
        if (etag === request.source.etag) free();
      };
      const result = await this.#store.copy({ ...request, onAnswered }, signal);
      const more = onResult(number, result);
      if (more !== undefined) await more;
    });
  }
}
