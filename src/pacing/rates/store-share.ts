/** The share of one limit of a store that this process may use, agreed on with other processes through the ledger. */

import { ageMs, type Moment, momentOf } from "../../domain/evidence-age.ts";
import { type NextShare, nextShare, type ShareEntry } from "../../domain/rates/store-shares.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Ledger } from "../../ports/ledger.ts";

/** Interval between two writes of the own entry; what is free is taken, and room made for others, that often. */
const CONFIRM_MS = 1000;
/** A job that has asked for nothing for this time does not count. */
const IDLE_MS = 2000;
/** A request that waits for a share asks again after this time. */
const ASK_AGAIN_MS = 10;
/** Another process's entry is dropped this much later than its owner stops to use it: clocks do not run equally fast. */
const CLOCK_DRIFT_MS = 500;

export interface StoreShareParts {
  /** Of the limit: unique, and the same in all processes. */
  readonly name: string;
  readonly ledger: Pick<Ledger, "reviseShares">;
  readonly clock: Clock;
  /** Of this process; unique. */
  readonly owner: string;
  /** How long a share may be used after the last confirmation that succeeded, milliseconds; the same in all processes. */
  readonly validMs: number;
  /** Called with the share that may be used from now on, 0 to 1: before a smaller one is written, after a larger one was. */
  onShare(share: number): void;
  /** Called when the ledger could not be asked; the share stays in use until it is no longer valid. */
  onFailure(error: unknown): void;
}

/**
 * Takes a share when the first job asks, confirms it while any job does, and gives it up afterwards. Each process measures
 * time on its own clocks: the owner since it sent a confirmation, the others since they first read it.
 */
export class StoreShare {
  readonly #parts: StoreShareParts;
  /** When each job last asked, epoch ms. */
  readonly #askedAt = new Map<object, number>();
  /** For each other owner the last beat, and when it was first read, by the monotonic clock. */
  #seen: ReadonlyMap<string, { readonly beat: number; readonly at: number }> = new Map();
  #share = 0;
  #beat = 0;
  /** When the last write that succeeded was begun. */
  #confirmed: Moment | null = null;
  #keeping: Promise<void> | null = null;
  #sleep = new AbortController();

  constructor(parts: StoreShareParts) {
    this.#parts = parts;
  }

  /** `job` has something to send at `now`: milliseconds until it may ask again, 0 while a share is valid. */
  waitMs(job: object, now: number): number {
    this.#askedAt.set(job, now);
    if (this.#isValid()) return 0;
    this.#keeping ??= this.#keep();
    return ASK_AGAIN_MS;
  }

  /** Gives the share up. */
  async close(): Promise<void> {
    this.#askedAt.clear();
    this.#sleep.abort();
    await this.#keeping;
  }

  #isValid(): boolean {
    if (this.#share === 0 || this.#confirmed === null) return false;
    return ageMs(this.#confirmed, this.#parts.clock) < this.#parts.validMs;
  }

  async #keep(): Promise<void> {
    this.#sleep = new AbortController();
    for (;;) {
      const jobs = this.#jobs();
      try {
        await (jobs === 0 ? this.#giveUp() : this.#confirm(jobs));
      } catch (error) {
        this.#parts.onFailure(error);
      }
      if (jobs === 0) break;
      await this.#parts.clock.sleep(CONFIRM_MS, this.#sleep.signal);
    }
    this.#keeping = null;
  }

  /** How many jobs have asked within {@link IDLE_MS}. */
  #jobs(): number {
    const now = this.#parts.clock.now();
    for (const [job, at] of this.#askedAt) if (Math.abs(now - at) > IDLE_MS) this.#askedAt.delete(job);
    return this.#askedAt.size;
  }

  async #confirm(jobs: number): Promise<void> {
    const { due, share } = await this.#write(jobs);
    if (share <= due) return;
    // The others take what they read as free at once, so less is used before it is written.
    this.#use(due);
    await this.#write(jobs);
  }

  async #write(jobs: number): Promise<NextShare> {
    const { ledger, clock, owner, name } = this.#parts;
    const begun = momentOf(clock);
    this.#beat += 1;
    let next: NextShare = { due: 1, share: 0 };
    await ledger.reviseShares(name, (entries) => {
      const others = this.#valid(entries.filter((entry) => entry.owner !== owner));
      // An entry that the others have dropped, while this process or the ledger's answer was late, is not continued.
      const isHeld = entries.some((entry) => entry.owner === owner);
      next = nextShare({ jobs, share: isHeld ? this.#share : 0 }, others);
      return [...others, { owner, jobs, share: next.share, beat: this.#beat }];
    });
    this.#confirmed = begun;
    this.#use(next.share);
    return next;
  }

  async #giveUp(): Promise<void> {
    const { ledger, name, owner } = this.#parts;
    this.#use(0);
    await ledger.reviseShares(name, (entries) => entries.filter((entry) => entry.owner !== owner));
  }

  /** Those of `others` whose owners may still use their shares. */
  #valid(others: readonly ShareEntry[]): readonly ShareEntry[] {
    const now = this.#parts.clock.monotonic();
    const outdatedMs = this.#parts.validMs + CLOCK_DRIFT_MS;
    const seenAt = ({ owner, beat }: ShareEntry) => {
      const known = this.#seen.get(owner);
      return known?.beat === beat ? known : { beat, at: now };
    };
    this.#seen = new Map(others.map((entry) => [entry.owner, seenAt(entry)]));
    return others.filter(({ owner }) => now - (this.#seen.get(owner)?.at ?? now) <= outdatedMs);
  }

  #use(share: number): void {
    if (share === this.#share) return;
    this.#share = share;
    this.#parts.onShare(share);
  }
}
