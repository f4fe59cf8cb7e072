/** Where the requests of one job pay before they go: for all limits at once, and only while the job may work. */

import { DomainError } from "../domain/errors.ts";
import type { Clock } from "../ports/clock.ts";
import { Dues, type Limits } from "./dues.ts";
import type { Fare } from "./fare.ts";
import { Lane, type Toll, type Turnstile } from "./turnstile.ts";
import type { Valve } from "./valve.ts";

export interface TollGateParts extends Limits {
  readonly clock: Clock;
  /** Shared with all who share any of the limits. */
  readonly turnstile: Turnstile;
  /** Nothing begins while it is closed. */
  readonly valve?: Valve;
}

/** The limits of one job on one store, and its places in their queues. */
export class TollGate {
  readonly #parts: TollGateParts;
  readonly #dues: Dues;
  /** A queue for what is written to each bucket, so that a slow bucket keeps nobody else waiting, and one for reads. */
  readonly #lanes = new Map<string | null, Lane>();
  /** For what has paid and looked around since: a queue of its own, as waiting makes evidence old. */
  readonly #going = new Lane();

  constructor(parts: TollGateParts) {
    this.#parts = parts;
    this.#dues = new Dues(parts);
  }

  get isOpen(): boolean {
    return this.#parts.valve?.isOpen() ?? true;
  }

  /** Whether it is open now, and in `aheadMs` as far as that can be told. */
  isOpenFor(aheadMs: number): boolean {
    return this.#parts.valve?.isOpenFor(aheadMs) ?? true;
  }

  /** Pays `fare` where that needs no waiting, and tells whether it did. */
  paysNow(fare: Fare, signal: AbortSignal | undefined): boolean {
    const { turnstile, clock } = this.#parts;
    if (signal?.aborted || !turnstile.isFree) return false;
    if (signal !== undefined && fare.cleansUp !== true && !this.isOpen) return false;
    return this.#dues.paysNow(fare, clock.now());
  }

  /** Waits until `fare` is paid; throws `stopped`. */
  pay(fare: Fare, signal: AbortSignal | undefined): Promise<void> {
    return this.#pass(fare.bucket, () => this.#dues.tolls(fare), signal, fare.cleansUp);
  }

  /** Pays for a deletion in `bucket` that goes later, and then must ask {@link TollGate.go}; throws `stopped`. */
  payAhead(bucket: string, writes: number, signal: AbortSignal | undefined): Promise<void> {
    return this.#pass(bucket, () => this.#dues.ahead(bucket, writes), signal);
  }

  /**
   * One that has paid ahead goes, now (false) or after it had to wait until the last second had room for it (true): look
   * around again then. Not counted when `signal` aborts meanwhile: the caller looks at it.
   */
  async go(signal: AbortSignal | undefined): Promise<boolean> {
    const { turnstile, clock } = this.#parts;
    if (this.#dues.goesNow(clock.now())) return false;
    await this.paced(() => turnstile.pass(this.#going, this.#dues.going(), signal));
    return true;
  }

  /** What is sent again inside a deletion is not waited for; others wait for it. */
  owe(bucket: string, writes: number): void {
    this.#dues.owe(bucket, writes, this.#parts.clock.now());
  }

  /**
   * Runs what goes beside a copy that has been let go: at once, and others wait for it. Throws `stopped` when it writes
   * and the valve has closed meanwhile.
   */
  async beside<Result>(bucket: string, writes: number, attempt: () => Promise<Result>): Promise<Result> {
    if (writes > 0 && !this.isOpen) throw new DomainError("stopped", "nothing is written any more");
    this.owe(bucket, writes);
    return attempt();
  }

  /** Runs `wait`, in which a request waits for its turn: that is work, see {@link Valve.whilePaced}. */
  paced(wait: () => Promise<void>): Promise<void> {
    return this.#parts.valve?.whilePaced(wait) ?? wait();
  }

  /**
   * Waits for the valve, then for all limits at once. The valve comes first: those who had paid before would all go at
   * once when it opens. What cleans up does not wait for it.
   */
  async #pass(
    bucket: string | null,
    tolls: () => readonly Toll[],
    signal: AbortSignal | undefined,
    cleansUp = false,
  ): Promise<void> {
    const valve = signal === undefined || cleansUp ? undefined : this.#parts.valve;
    for (;;) {
      const closed = valve?.pass(signal) ?? null;
      if (closed !== null) await closed;
      await this.paced(() => this.#parts.turnstile.pass(this.#laneOf(bucket), tolls(), signal));
      if (signal?.aborted) throw new DomainError("stopped", "the job was asked to stop");
      // It may have closed while the limits were waited for.
      if (valve === undefined || valve.isOpen()) return;
    }
  }

  #laneOf(bucket: string | null): Lane {
    const known = this.#lanes.get(bucket);
    if (known !== undefined) return known;
    const lane = new Lane();
    this.#lanes.set(bucket, lane);
    return lane;
  }
}
