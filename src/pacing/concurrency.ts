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
  /** For each call of `each` that is not over: hires as many workers as there are places. */
  const hirings = new Set<() => void>();
  return {
    async each(items, work) {
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
      // One worker for each place and not one task for each item: a million waiting closures are a million objects.
      const workers: Promise<void>[] = [];
      const hire = () => {
        const most = Math.min(items.length, limit.concurrency);
        while (workers.length < most && !isOver()) workers.push(worker());
      };
      hire();
      hirings.add(hire);
      // Workers may be hired while others are waited for.
      for (let ended = 0; ended < workers.length; ended += 1) await workers[ended];
      hirings.delete(hire);
      if (errors.length > 0) throw errors.find((error) => !hasCode(error, "stopped")) ?? errors[0];
    },
    resize(next) {
      limit.concurrency = Math.max(1, next);
      for (const hire of hirings) hire();
    },
  };
}
