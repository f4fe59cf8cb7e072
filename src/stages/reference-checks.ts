/** ReferenceChecks: the query before a deletion, which keys rows still name, shared by two batches: half the statements. */

import type { Batch } from "../domain/batch.ts";
import { type Moment, momentOf } from "../domain/evidence-age.ts";
import type { Clock } from "../ports/clock.ts";
import { type CheckedReferences, keysStillNamed } from "./reference-lookup.ts";

/** How long a batch waits for a second one. At 1,000 objects a second one arrives by then; slower jobs query for each. */
const SHARE_WAIT_MS = 1000;

/** The references to check, and when their databases may be queried. */
export interface CheckContext extends CheckedReferences {
  readonly signal: AbortSignal;
  /** Resolves when statements may go to all databases of the job; throws `stopped`. */
  databasesReady(): Promise<void>;
}

/** The objects to check. */
type Objects = readonly { readonly key: string }[];

/** The keys that rows name, and when the rows were queried. */
export interface ReferenceCheck {
  readonly named: ReadonlySet<string>;
  /** Before the first statement was sent. */
  readonly askedAt: Moment;
}

/** A check that waits for a second batch. */
interface WaitingCheck {
  /** Runs one query for both batches. */
  join(others: Objects): Promise<ReferenceCheck>;
  /** Ends the wait: no other batch will need a check. */
  giveUp(): void;
}

/** The checks of one run. Knows which batches may still need a check, so that no check waits when there is none. */
export class ReferenceChecks {
  readonly #clock: Clock;
  readonly #inProgress = new Set<Batch>();
  #waiting: WaitingCheck | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs `work` on a batch, which may need a check until it ends. */
  async during<Result>(batch: Batch, work: () => Promise<Result>): Promise<Result> {
    this.#inProgress.add(batch);
    try {
      return await work();
    } finally {
      this.#left(batch);
    }
  }

  /**
   * Which keys of `objects`, all of `batch`, rows name now. Waits up to a second for a second batch; not when one waits
   * already, when no other batch is in progress (a held one is), or when the batch was checked before. Throws what
   * {@link keysStillNamed} throws, for both batches then.
   */
  async stillNamed(context: CheckContext, batch: Batch, objects: Objects): Promise<ReferenceCheck> {
    // A batch is checked again for its remaining objects, or after a hold: a second each time would add up.
    const isFirstTime = this.#inProgress.has(batch);
    this.#left(batch);
    const first = this.#waiting;
    this.#waiting = null;
    if (first !== null) return first.join(objects);
    const waits = isFirstTime && context.references.length > 0 && this.#inProgress.size > 0;
    return waits ? this.#waitToShare(context, objects) : this.#ask(context, objects);
  }

  async #waitToShare(context: CheckContext, objects: Objects): Promise<ReferenceCheck> {
    const over = new AbortController();
    let asked: Promise<ReferenceCheck> | null = null;
    const waiting: WaitingCheck = {
      join: (others) => {
        asked = this.#ask(context, [...objects, ...others]);
        over.abort();
        return asked;
      },
      giveUp: () => over.abort(),
    };
    this.#waiting = waiting;
    await this.#clock.sleep(SHARE_WAIT_MS, AbortSignal.any([over.signal, context.signal]));
    if (this.#waiting === waiting) this.#waiting = null;
    return asked ?? this.#ask(context, objects);
  }

  async #ask(context: CheckContext, objects: Objects): Promise<ReferenceCheck> {
    // Again, after the wait for a second batch: a delay after `askedAt` would age the evidence.
    await context.databasesReady();
    const askedAt = momentOf(this.#clock);
    return { named: await keysStillNamed(context, objects), askedAt };
  }

  /** `batch` was checked, deferred, or has ended. */
  #left(batch: Batch): void {
    this.#inProgress.delete(batch);
    if (this.#inProgress.size === 0) this.#waiting?.giveUp();
  }
}
