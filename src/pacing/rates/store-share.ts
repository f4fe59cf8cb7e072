/** The part of a limit of a store that this process may use: agreed on with the others through what each writes down. */

import { isLess, type NextShare, nextShare, type WrittenShare } from "../../domain/rates/store-shares.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Ledger } from "../../ports/ledger.ts";

/** How often a share is confirmed and what it should be is looked at. */
const CONFIRM_MS = 1000;
/** Who has less than is due to him looks again so soon: others give up within {@link CONFIRM_MS}. */
const SHORT_OF_MS = 250;
/** Who sends nothing for so long gives his share up. */
const IDLE_MS = 2000;
/** Whoever waits for a share asks again after this time. */
const ASK_AGAIN_MS = 10;

export interface StoreShareParts {
  /** Of the limit: unlike that of any other, and the same in all processes. */
  readonly name: string;
  readonly ledger: Pick<Ledger, "reviseShares">;
  readonly clock: Clock;
  /** Milliseconds from any moment on, by a clock that nobody sets; it may stand still while the machine sleeps. */
  monotonicMs(): number;
  /** Unlike that of any other process. */
  readonly owner: string;
  /** A share that was not confirmed for so long is no longer its owner's, for him and for the others, milliseconds. */
  readonly validMs: number;
  /** Told of the part that may be used from now on, 0 to 1, before it is written down where it is less than before. */
  onShare(share: number): void;
  /** The part of the limit that this process could use, 0 to 1. */
  wants(now: number): number;
  /** The ledger could not be asked; the share is kept until it is no longer valid. */
  onTrouble(error: unknown): void;
}

/**
 * One for each limit of each store. It asks for a share when somebody first wants to send something, confirms it while
 * anybody does, and gives it up afterwards. Time is measured where it is used: by the owner from before each confirmation,
 * by the others as time slept since they saw it change, so that no two clocks are ever compared.
 */
export class StoreShare {
  readonly #parts: StoreShareParts;
  /** When each asker last asked, epoch ms. */
  readonly #askers = new Map<object, number>();
  /** What others have written down last, and for how long this process slept since it first saw that. */
  readonly #seen = new Map<string, { readonly beat: number; unchangedMs: number }>();
  #share = 0;
  #due = 1;
  #beat = 0;
  /** By the clock, and by the one that nobody sets. */
  #validUntil = Number.NEGATIVE_INFINITY;
  #monotonicUntil = Number.NEGATIVE_INFINITY;
  #seenAt = Number.NEGATIVE_INFINITY;
  #keeping: Promise<void> | null = null;
  #sleep = new AbortController();

  constructor(parts: StoreShareParts) {
    this.#parts = parts;
  }

  /** `asker` wants to send something at `now`: milliseconds until it may ask again, 0 while a share is valid. */
  waitMs(asker: object, now: number): number {
    this.#askers.set(asker, now);
    if (this.#isValid(now)) return 0;
    this.#keeping ??= this.#keep();
    return ASK_AGAIN_MS;
  }

  /** Gives the share up. */
  async close(): Promise<void> {
    this.#askers.clear();
    this.#sleep.abort();
    await this.#keeping;
  }

  #isValid(now: number): boolean {
    // A clock that was set back must not make a share last longer; while the process was stopped it may have been without
    // anybody seeing it go back. The other clock stands still while the machine sleeps, which this one does not.
    if (now < this.#seenAt) this.#validUntil = Number.NEGATIVE_INFINITY;
    this.#seenAt = now;
    if (now >= this.#validUntil || this.#share === 0) return false;
    return this.#parts.monotonicMs() < this.#monotonicUntil;
  }

  async #keep(): Promise<void> {
    this.#sleep = new AbortController();
    let pauseMs = 0;
    for (;;) {
      const jobs = this.#jobs();
      const sleptMs = pauseMs;
      pauseMs = CONFIRM_MS;
      try {
        await (jobs === 0 ? this.#giveUp() : this.#confirm(jobs, sleptMs));
        if (isLess(this.#share, this.#due)) pauseMs = SHORT_OF_MS;
      } catch (error) {
        this.#parts.onTrouble(error);
      }
      if (jobs === 0) break;
      await this.#parts.clock.sleep(pauseMs, this.#sleep.signal);
    }
    this.#keeping = null;
  }

  /** How many have asked lately. */
  #jobs(): number {
    const now = this.#parts.clock.now();
    for (const [asker, at] of this.#askers) if (Math.abs(now - at) > IDLE_MS) this.#askers.delete(asker);
    return this.#askers.size;
  }

  async #confirm(jobs: number, sleptMs: number): Promise<void> {
    const { due, isTooMuch } = await this.#write(jobs, sleptMs);
    if (!isTooMuch) return;
    // Less is used first and written down then: whoever reads it takes the rest at once.
    this.#use(due);
    await this.#write(jobs, 0);
  }

  async #write(jobs: number, sleptMs: number): Promise<NextShare> {
    const { ledger, clock, owner, name, validMs, wants } = this.#parts;
    const askedAt = clock.now();
    const monotonicAt = this.#parts.monotonicMs();
    const own = { owner, jobs, wants: wants(askedAt), share: this.#share };
    this.#beat += 1;
    let found: NextShare = { share: 0, due: 1, isTooMuch: false };
    let unseenMs = sleptMs;
    await ledger.reviseShares(name, (written) => {
      const others = this.#present(written, unseenMs);
      // Called again, it must not count the same sleep again.
      unseenMs = 0;
      // While the answer was waited for, the others may have divided what was written down for this process.
      if (!written.some((share) => share.owner === owner)) own.share = 0;
      found = nextShare(own, others);
      return [...others, { ...own, share: found.share, beat: this.#beat }];
    });
    this.#due = found.due;
    this.#validUntil = askedAt + validMs;
    this.#monotonicUntil = monotonicAt + validMs;
    this.#use(found.share);
    return found;
  }

  async #giveUp(): Promise<void> {
    const { ledger, name, owner } = this.#parts;
    this.#use(0);
    await ledger.reviseShares(name, (written) => written.filter((share) => share.owner !== owner));
  }

  /** The others' shares, without those that nobody has confirmed for as long as they are valid. */
  #present(written: readonly WrittenShare[], sleptMs: number): readonly WrittenShare[] {
    const others = written.filter(({ owner }) => owner !== this.#parts.owner);
    for (const owner of this.#seen.keys())
      if (!others.some((share) => share.owner === owner)) this.#seen.delete(owner);
    for (const { owner, beat } of others) {
      const known = this.#seen.get(owner);
      if (known?.beat === beat) known.unchangedMs += sleptMs;
      else this.#seen.set(owner, { beat, unchangedMs: 0 });
    }
    return others.filter(({ owner }) => (this.#seen.get(owner)?.unchangedMs ?? 0) <= this.#parts.validMs);
  }

  #use(share: number): void {
    if (share === this.#share) return;
    this.#share = share;
    this.#parts.onShare(share);
  }
}
