/** Requests held back on purpose, and word of their arrival. */

import type { S3Request } from "../protocol/s3-request.ts";
import { matchesRequest, type RequestMatch } from "./fault-rules.ts";

/** Where a request is frozen: before anything is done, or after, with the answer withheld. */
export type HoldPoint = "before" | "after";

/** Requests being frozen. */
export interface RequestHold {
  /** How many have arrived so far. */
  readonly arrivals: number;
  /** Resolves with the nth request (from 1) to arrive; at once if it already has. */
  arrival(nth?: number): Promise<S3Request>;
  /** Lets go of what is frozen and freezes nothing more. */
  release(): void;
}

interface Waiter {
  readonly nth: number;
  readonly resolve: (request: S3Request) => void;
}

/** The holds in force. */
export class RequestHolds {
  readonly #holds = new Set<Hold>();

  /** Whether there are none. */
  get isEmpty(): boolean {
    return this.#holds.size === 0;
  }

  add(match: RequestMatch, at: HoldPoint, isFreezing: boolean): RequestHold {
    const hold = new Hold(match, at, isFreezing, () => this.#holds.delete(hold));
    this.#holds.add(hold);
    return hold;
  }

  /** Releases all holds. */
  release(): void {
    for (const hold of [...this.#holds]) hold.release();
  }

  /** Returns when no hold keeps the request at this point any more. */
  async wait(request: S3Request, at: HoldPoint): Promise<void> {
    for (const hold of [...this.#holds]) {
      if (hold.at === at && matchesRequest(hold.match, request)) await hold.keep(request);
    }
  }
}

class Hold implements RequestHold {
  readonly match: RequestMatch;
  readonly at: HoldPoint;
  readonly #isFreezing: boolean;
  readonly #onRelease: () => void;
  readonly #arrived: S3Request[] = [];
  #waiters: Waiter[] = [];
  #frozen: (() => void)[] = [];
  #isReleased = false;

  constructor(match: RequestMatch, at: HoldPoint, isFreezing: boolean, onRelease: () => void) {
    this.match = match;
    this.at = at;
    this.#isFreezing = isFreezing;
    this.#onRelease = onRelease;
  }

  get arrivals(): number {
    return this.#arrived.length;
  }

  arrival(nth = 1): Promise<S3Request> {
    const arrived = this.#arrived[nth - 1];
    if (arrived !== undefined) return Promise.resolve(arrived);
    return new Promise((resolve) => this.#waiters.push({ nth, resolve }));
  }

  release(): void {
    this.#isReleased = true;
    this.#onRelease();
    for (const resume of this.#frozen) resume();
    this.#frozen = [];
  }

  keep(request: S3Request): Promise<void> {
    if (this.#isReleased) return Promise.resolve();
    this.#arrived.push(request);
    for (const waiter of this.#waiters) if (waiter.nth === this.#arrived.length) waiter.resolve(request);
    this.#waiters = this.#waiters.filter((waiter) => waiter.nth > this.#arrived.length);
    if (!this.#isFreezing) return Promise.resolve();
    return new Promise((resume) => this.#frozen.push(resume));
  }
}
