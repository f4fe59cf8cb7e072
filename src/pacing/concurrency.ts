/** How many requests of a job may be under way at once; can be changed while it runs. */

import { hasCode } from "../domain/errors.ts";

/** Does something for one item; may `free` its place before its end. */
type Work<Item> = (item: Item, free: () => void) => Promise<unknown>;

export interface Concurrency {
  /**
   * Does `work` for each of `items`, as many at once as there are places, callers in order of asking: a batch that is
   * running out of items leaves its places to the next one, so that all stay taken across their boundary. Work may
   * `free` its place before its end, when what the place is for is over: then the next item has begun when `free`
   * returns. After a failure no further item is begun; when all that was begun has ended, the first error that tells
   * more than "asked to stop" is thrown.
   */
  each<Item>(items: readonly Item[], work: Work<Item>): Promise<void>;
  /** New number of places, at least 1; running work is never cut short, and new work begins after the caller's turn. */
  resize(places: number): void;
}

/** A limiter with `places` places. */
export function limitConcurrency(places: number): Concurrency {
  return new Places(places);
}

/**
 * Whoever gives up a place takes the next item in the same turn. Nothing waits but the lists of items: a queue of
 * functions, as p-limit has it, is a promise and some closures for each place and list, which every copy pays for.
 */
class Places implements Concurrency {
  #count: number;
  #taken = 0;
  /** Those that may have items left, in order of asking. */
  readonly #tours: Tour[] = [];

  constructor(count: number) {
    this.#count = count;
  }

  each<Item>(items: readonly Item[], work: Work<Item>): Promise<void> {
    const tour = new Tour(items, work as Work<unknown>);
    this.#tours.push(tour);
    this.#fill();
    return tour.ended();
  }

  resize(places: number): void {
    this.#count = Math.max(1, places);
    // Whoever changes the places changes rates too, or stops the job: new work must meet all of that, not half of it.
    queueMicrotask(() => this.#fill());
  }

  #fill(): void {
    while (this.#taken < this.#count) {
      const [tour] = this.#tours;
      if (tour === undefined) return;
      if (tour.isOver) {
        this.#tours.shift();
      } else {
        this.#taken += 1;
        tour.begin(this.#giveUp);
      }
    }
  }

  readonly #giveUp = (): void => {
    this.#taken -= 1;
    this.#fill();
  };
}

/** The items of one call, begun one after the other. */
class Tour {
  readonly #items: readonly unknown[];
  readonly #work: Work<unknown>;
  readonly #errors: unknown[] = [];
  #next = 0;
  #underWay = 0;
  #allEnded: () => void = () => {};

  constructor(items: readonly unknown[], work: Work<unknown>) {
    this.#items = items;
    this.#work = work;
  }

  /** Whether no further item is to be begun. */
  get isOver(): boolean {
    return this.#next >= this.#items.length || this.#errors.length > 0;
  }

  /** Begins the next item; calls `giveUp` once, when its place is free. */
  begin(giveUp: () => void): void {
    const item = this.#items[this.#next];
    this.#next += 1;
    this.#underWay += 1;
    let isFree = false;
    const free = () => {
      if (isFree) return;
      isFree = true;
      giveUp();
    };
    const end = () => {
      this.#underWay -= 1;
      free();
      if (this.#underWay === 0 && this.isOver) this.#allEnded();
    };
    this.#work(item, free).then(end, (error: unknown) => {
      this.#errors.push(error);
      end();
    });
  }

  /** Resolves when nothing is left and all that was begun has ended; throws the error that tells most. */
  async ended(): Promise<void> {
    if (this.#underWay > 0 || !this.isOver) {
      await new Promise<void>((resolve) => {
        this.#allEnded = resolve;
      });
    }
    const errors = this.#errors;
    if (errors.length > 0) throw errors.find((error) => !hasCode(error, "stopped")) ?? errors[0];
  }
}
