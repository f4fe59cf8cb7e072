/** Watches from the side of store and table whether a job keeps to what it was told; it asks none of our own rules. */

import type { OpenWindow, Windows } from "../../src/domain/job-spec.ts";
import { isOpenOnTheWall, limitsOnTheWall } from "./clocks/wall-clock.ts";
import type { Estate, Kind } from "./worlds/simulated-estate.ts";

const MINUTE = 60_000;
const SECOND = 1000;
/** A changed limit is in force after this time. */
const IN_FORCE_MS = 2000;
const EXCESS = 1.05;
const MOST_FAULTS = 20;
const REMEMBERED = 4096;
export interface Terms {
  readonly windows: Windows;
  readonly requestsPerSecond: number;
}

/** A stretch of time, its end exclusive. */
export interface Span {
  readonly from: number;
  readonly until: number;
}

const isIn = (at: number) => (span: Span) => at >= span.from && at < span.until;

export class Witness {
  /** What was seen and should not have been. */
  readonly faults: string[] = [];
  readonly counts: Record<Kind, number> = { list: 0, head: 0, copy: 0, delete: 0, statement: 0 };
  /** When anything began last. */
  lastAt = 0;
  /** While an operator lets it work outside its windows. */
  readonly leaves: Span[] = [];
  /** While nothing may begin: pauses. */
  readonly silences: Span[] = [];
  /** While no statement may. */
  readonly busy: Span[] = [];
  /** Before this no source may be deleted. */
  deletesFrom = Number.POSITIVE_INFINITY;
  #terms: Terms;
  #before: Terms;
  #changedAt = 0;
  /** What the terms say of each minute that was asked about. */
  #minutes = new Map<number, { readonly isOpen: boolean; readonly limit: number }>();
  readonly #arrivals = new Float64Array(REMEMBERED);
  #requests = 0;

  constructor(estate: Estate, terms: Terms) {
    this.#terms = terms;
    this.#before = terms;
    estate.witness = (kind, at) => this.#see(kind, at);
  }

  get terms(): Terms {
    return this.#terms;
  }

  change(terms: Partial<Terms>, at: number): void {
    this.#before = this.#terms;
    this.#terms = { ...this.#terms, ...terms };
    this.#changedAt = at;
    this.#minutes = new Map();
  }

  /** Windows begin and end at whole minutes, in these zones of UTC too. */
  mayWork(at: number): boolean {
    return this.leaves.some(isIn(at)) || this.#minuteOf(at).isOpen;
  }

  limitAt(at: number): number {
    const now = this.#minuteOf(at).limit;
    return at - this.#changedAt < IN_FORCE_MS ? Math.max(now, limitOf(this.#before, at)) : now;
  }

  #minuteOf(at: number): { readonly isOpen: boolean; readonly limit: number } {
    const minute = Math.floor(at / MINUTE);
    const known = this.#minutes.get(minute);
    if (known !== undefined) return known;
    const isOpen = isOpenOnTheWall(this.#terms.windows, minute * MINUTE);
    const said = { isOpen, limit: limitOf(this.#terms, minute * MINUTE) };
    this.#minutes.set(minute, said);
    return said;
  }

  #see(kind: Kind, at: number): void {
    this.counts[kind] += 1;
    this.lastAt = at;
    if (!this.mayWork(at)) this.#fault(at, `${kind} outside the windows`);
    if (this.silences.some(isIn(at))) this.#fault(at, `${kind} in a pause`);
    if (kind === "delete" && at < this.deletesFrom) this.#fault(at, "a deletion before the approval");
    if (kind === "statement") {
      if (this.busy.some(isIn(at))) this.#fault(at, "a statement to a busy database");
    } else this.#count(at);
  }

  /** Of every second, wherever it begins. */
  #count(at: number): void {
    const most = Math.floor(this.limitAt(at) * EXCESS);
    const earlier = this.#requests - most;
    this.#arrivals[this.#requests % REMEMBERED] = at;
    this.#requests += 1;
    if (earlier >= 0 && at - (this.#arrivals[earlier % REMEMBERED] ?? 0) < SECOND) {
      this.#fault(at, `more than ${most} requests in a second`);
    }
  }

  #fault(at: number, what: string): void {
    if (this.faults.length < MOST_FAULTS) this.faults.push(`${new Date(at).toISOString()} ${what}`);
  }
}

/** Limits of a window belong to it; where none is open, or it has none of its own, the job's hold. */
function limitOf({ windows, requestsPerSecond }: Terms, at: number): number {
  if (windows.open.every(({ limits }: OpenWindow) => limits === null)) return requestsPerSecond;
  return limitsOnTheWall(windows, at).requestsPerSecond ?? requestsPerSecond;
}
