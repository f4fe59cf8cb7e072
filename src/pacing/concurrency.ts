/** How many requests of a job may be under way at once; can be changed while it runs. */

import pLimit from "p-limit";
import { hasCode } from "../domain/errors.ts";

export interface Concurrency {
  /**
   * Does `work` for each of `items`, as many at once as there are places, callers in order of asking: a batch that is
   * running out of items leaves its places to the next one, so that all stay taken across their boundary. Work may
   * `free` its place before its end, when what the place is for is over: then the next item has begun when `free`
   * returns. After a failure no further item is begun; when all that was begun has ended, the first error that tells
   * more than "asked to stop" is thrown.
   */
  each<Item>(items: readonly Item[], work: (item: Item, free: () => void) => Promise<unknown>): Promise<void>;
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
      const tour = new Tour(items, work);
      const holdPlace = () => tour.holdPlace(() => limit.activeCount <= limit.concurrency);
      // A worker that gave its place up because there are fewer now queues again behind the others.
      const worker = async (): Promise<void> => {
        do await limit(holdPlace);
        while (!tour.isOver);
      };
      // One worker for each place and not one task for each item: a million waiting closures are a million objects.
      const workers: Promise<void>[] = [];
      const hire = () => {
        const most = Math.min(items.length, limit.concurrency);
        while (workers.length < most && !tour.isOver) workers.push(worker());
      };
      hire();
      hirings.add(hire);
      // Workers may be hired while others are waited for.
      for (let ended = 0; ended < workers.length; ended += 1) await workers[ended];
      hirings.delete(hire);
      await tour.ended();
    },
    resize(next) {
      limit.concurrency = Math.max(1, next);
      for (const hire of hirings) hire();
    },
  };
}

/** The items of one call, taken one after the other by whoever has a place. */
class Tour<Item> {
  readonly #items: readonly Item[];
  readonly #work: (item: Item, free: () => void) => Promise<unknown>;
  readonly #errors: unknown[] = [];
  #next = 0;
  #underWay = 0;
  #allEnded: () => void = () => {};

  constructor(items: readonly Item[], work: (item: Item, free: () => void) => Promise<unknown>) {
    this.#items = items;
    this.#work = work;
  }

  /** Whether no further item is to be begun. */
  get isOver(): boolean {
    return this.#next >= this.#items.length || this.#errors.length > 0;
  }

  /** Goes from item to item with one place; resolves when there is none left or the place `mayStay` no longer. */
  holdPlace(mayStay: () => boolean): Promise<void> {
    return new Promise((giveUp) => {
      const take = () => {
        if (this.isOver || !mayStay()) giveUp();
        else this.#begin(take);
      };
      take();
    });
  }

  /** Resolves when all that was begun has ended; throws the error that tells most. */
  async ended(): Promise<void> {
    if (this.#underWay > 0) {
      await new Promise<void>((resolve) => {
        this.#allEnded = resolve;
      });
    }
    const errors = this.#errors;
    if (errors.length > 0) throw errors.find((error) => !hasCode(error, "stopped")) ?? errors[0];
  }

  #begin(takeNext: () => void): void {
    const item = this.#items[this.#next] as Item;
    this.#next += 1;
    this.#underWay += 1;
    let isFree = false;
    const free = () => {
      if (isFree) return;
      isFree = true;
      takeNext();
    };
    const end = () => {
      this.#underWay -= 1;
      free();
      if (this.#underWay === 0) this.#allEnded();
    };
    this.#work(item, free).then(end, (error: unknown) => {
      this.#errors.push(error);
      end();
    });
  }
}
