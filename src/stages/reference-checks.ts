/** The question before a deletion, which rows still name the keys: asked for two batches at once, in half the statements. */

import type { Batch } from "../domain/batch.ts";
import { type Moment, momentOf } from "../domain/evidence-age.ts";
import type { Clock } from "../ports/clock.ts";
import { type CheckedReferences, keysStillNamed } from "./reference-lookup.ts";

/** So long a batch waits for another one. At 1,000 objects a second one comes by then; slower jobs ask for each alone. */
const COMPANY_MS = 1000;

/** What a check needs: the references, and when they may be asked. */
export interface CheckContext extends CheckedReferences {
  readonly signal: AbortSignal;
  /** Resolves when statements may go to all databases of the job; throws `stopped`. */
  databasesReady(): Promise<void>;
}

/** What was asked about. */
type Objects = readonly { readonly key: string }[];

/** What the rows said, and when they were asked. */
export interface ReferenceCheck {
  readonly named: ReadonlySet<string>;
  /** Before the first statement was sent. */
  readonly askedAt: Moment;
}

/** A batch that waits for company. */
interface Waiting {
  /** Asks for this batch and the other one together. */
  join(others: Objects): Promise<ReferenceCheck>;
  /** Nobody will come. */
  giveUp(): void;
}

/** Of one run: knows which batches are on their way to their deletion, so that none waits for nobody. */
export class ReferenceChecks {
  readonly #clock: Clock;
  readonly #onTheWay = new Set<Batch>();
  #waiting: Waiting | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Carries a batch, by `work`, perhaps as far as its deletion. */
  async during<Result>(batch: Batch, work: () => Promise<Result>): Promise<Result> {
    this.#onTheWay.add(batch);
    try {
      return await work();
    } finally {
      this.#left(batch);
    }
  }

  /**
   * Which keys of `objects`, all of `batch`, rows name now: asked at once where another batch has waited for this one,
   * where none is on its way (held ones are), where the batch has asked before, and after a second. Throws what {@link keysStillNamed} throws, for both batches then.
   */
  async stillNamed(context: CheckContext, batch: Batch, objects: Objects): Promise<ReferenceCheck> {
    // It asks again for what is left, or after a refusal: a second each time would add up.
    const isFirstTime = this.#onTheWay.has(batch);
    this.#left(batch);
    const first = this.#waiting;
    this.#waiting = null;
    if (first !== null) return first.join(objects);
    const waits = isFirstTime && context.references.length > 0 && this.#onTheWay.size > 0;
    return waits ? this.#inCompany(context, objects) : this.#ask(context, objects);
  }

  async #inCompany(context: CheckContext, objects: Objects): Promise<ReferenceCheck> {
    const over = new AbortController();
    let asked: Promise<ReferenceCheck> | null = null;
    const waiting: Waiting = {
      join: (others) => {
        asked = this.#ask(context, [...objects, ...others]);
        over.abort();
        return asked;
      },
      giveUp: () => over.abort(),
    };
    this.#waiting = waiting;
    await this.#clock.sleep(COMPANY_MS, AbortSignal.any([over.signal, context.signal]));
    if (this.#waiting === waiting) this.#waiting = null;
    return asked ?? this.#ask(context, objects);
  }

  async #ask(context: CheckContext, objects: Objects): Promise<ReferenceCheck> {
    // Again, after the wait for company: what is waited for after the asking makes the answer old.
    await context.databasesReady();
    const askedAt = momentOf(this.#clock);
    return { named: await keysStillNamed(context, objects), askedAt };
  }

  /** Asked, deferred, or done with. */
  #left(batch: Batch): void {
    this.#onTheWay.delete(batch);
    if (this.#onTheWay.size === 0) this.#waiting?.giveUp();
  }
}
