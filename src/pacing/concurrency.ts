/** How many requests of a job may be in flight at once; can be changed while it runs. */

import { hasCode } from "../domain/errors.ts";

/** Processes one item; may call `release` before its end to give its slot to the next item. */
type Work<Item> = (item: Item, release: () => void) => Promise<unknown>;

export interface Concurrency {
  /**
   * Runs `work` for each of `items`, as many at once as there are slots. Calls share the slots in order of calling: slots
   * that a call has no more items for go to the next call, so that all stay in use across the boundary of two batches.
   * Where work calls `release`, the next item has begun when that returns. After a failure no further item is begun; when
   * all that were begun have ended, throws the first error that is not `stopped`, or else the first.
   */
  each<Item>(items: readonly Item[], work: Work<Item>): Promise<void>;
  /** Sets the number of slots, at least 1. Running work goes on; more work begins after the caller's synchronous code. */
  resize(slots: number): void;
}

/** A limiter with `slots` slots. */
export function limitConcurrency(slots: number): Concurrency {
  return new ConcurrencyLimiter(slots);
}

/**
 * A released slot begins the next item synchronously. Only the lists of items are queued: a queue of functions, as p-limit
 * has it, costs a promise and some closures for each item, which every copy would pay.
 */
class ConcurrencyLimiter implements Concurrency {
  #slots: number;
  #inUse = 0;
  /** Lists that may have items left, in order of calling. */
  readonly #lists: WorkList[] = [];

  constructor(slots: number) {
    this.#slots = slots;
  }

  each<Item>(items: readonly Item[], work: Work<Item>): Promise<void> {
    const list = new WorkList(items, work as Work<unknown>);
    this.#lists.push(list);
    this.#fill();
    return list.ended();
  }

  resize(slots: number): void {
    this.#slots = Math.max(1, slots);
    // Callers change rates next, or stop the job: new work must begin with all of these changes in force.
    queueMicrotask(() => this.#fill());
  }

  #fill(): void {
    while (this.#inUse < this.#slots) {
      const [list] = this.#lists;
      if (list === undefined) return;
      if (list.isExhausted) {
        this.#lists.shift();
      } else {
        this.#inUse += 1;
        list.beginNext(this.#release);
      }
    }
  }

  readonly #release = (): void => {
    this.#inUse -= 1;
    this.#fill();
  };
}

/** The items of one call, begun one after the other. */
class WorkList {
  readonly #items: readonly unknown[];
  readonly #work: Work<unknown>;
  readonly #errors: unknown[] = [];
  #next = 0;
  #running = 0;
  #allEnded: () => void = () => {};

  constructor(items: readonly unknown[], work: Work<unknown>) {
    this.#items = items;
    this.#work = work;
  }

  /** Whether no further item is to be begun. */
  get isExhausted(): boolean {
    return this.#next >= this.#items.length || this.#errors.length > 0;
  }

  /** Begins the next item; calls `releaseSlot` exactly once. */
  beginNext(releaseSlot: () => void): void {
    const item = this.#items[this.#next];
    this.#next += 1;
    this.#running += 1;
    let isReleased = false;
    const release = () => {
      if (isReleased) return;
      isReleased = true;
      releaseSlot();
    };
    const end = () => {
      this.#running -= 1;
      release();
      if (this.#running === 0 && this.isExhausted) this.#allEnded();
    };
    this.#work(item, release).then(end, (error: unknown) => {
      this.#errors.push(error);
      end();
    });
  }

  /** Resolves when all items that were or will be begun have ended; throws as {@link Concurrency.each} says. */
  async ended(): Promise<void> {
    if (this.#running > 0 || !this.isExhausted) {
      await new Promise<void>((resolve) => {
        this.#allEnded = resolve;
      });
    }
    const errors = this.#errors;
    if (errors.length > 0) throw errors.find((error) => !hasCode(error, "stopped")) ?? errors[0];
  }
}
