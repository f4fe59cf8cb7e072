/** How many requests of a job may be under way at once; can be changed while it runs. */

import pLimit from "p-limit";
import { hasCode } from "../domain/errors.ts";

export interface Concurrency {
  /**
   * Does `work` for each of `items`, as many at once as there are places, callers in order of asking: a batch that is
   * running out of items leaves its places to the next one, so that all stay taken across their boundary. After a
   * failure no further item is begun; when all that was begun has ended, the first error that tells more than "asked
   * to stop" is thrown.
   */
  each<Item>(items: readonly Item[], work: (item: Item) => Promise<unknown>): Promise<void>;
  /** New number of places, at least 1; running work is never cut short. */
  resize(places: number): void;
}

/** A limiter with `places` places. */
export function limitConcurrency(places: number): Concurrency {
  const limit = pLimit(places);
  return {
    each(items, work) {
      // One worker for each place and not one task for each item: a million waiting closures are a million objects.
      const workers = Math.min(items.length, limit.concurrency);
      const errors: unknown[] = [];
      let next = 0;
      const isOver = () => next >= items.length || errors.length > 0;
      const workOn = async () => {
        while (!isOver() && limit.activeCount <= limit.concurrency) {
          const item = items[next] as (typeof items)[number];
          next += 1;
          try {
            await work(item);
          } catch (error) {
            errors.push(error);
          }
        }
      };
      // A worker that gave its place up because there are fewer now queues again behind the others.
      const worker = async (): Promise<void> => {
        do await limit(workOn);
        while (!isOver());
      };
      return Promise.all(Array.from({ length: workers }, worker)).then(() => {
        if (errors.length > 0) throw errors.find((error) => !hasCode(error, "stopped")) ?? errors[0];
      });
    },
    resize(next) {
      limit.concurrency = Math.max(1, next);
    },
  };
}
