/** One job's part of a simulated world: the objects of a bucket, their copies in another, and a row for each. */

import type { Clock } from "../../../src/ports/clock.ts";
import { WriteBudget } from "../../../src/sandbox-s3/faults/write-budget.ts";

export const OLD = "image/";
export const NEW = "avatar/";

export type Kind = "list" | "head" | "copy" | "delete" | "statement";

/** What a job begins, as the store and the table see it, at that moment. */
export type Witness = (kind: Kind, at: number) => void;

/** A few bytes for each object, however many there are. */
export class Estate {
  readonly source: string;
  readonly target: string;
  readonly table: string;
  readonly size: number;
  /** How often each object was copied, its source deleted, its row changed. */
  readonly copied: Uint8Array;
  readonly deleted: Uint8Array;
  readonly changed: Uint8Array;
  /** Copies that the store rejected. */
  rejected = 0;
  /** Called with everything that begins; absent until the job is submitted, as submission reads outside of windows. */
  witness: Witness = () => {};
  #budget: WriteBudget | null = null;
  readonly #clock: Clock;

  constructor(name: string, size: number, clock: Clock) {
    this.source = `${name}-old`;
    this.target = `${name}-new`;
    this.table = `${name}_images`;
    this.size = size;
    this.#clock = clock;
    this.copied = new Uint8Array(size);
    this.deleted = new Uint8Array(size);
    this.changed = new Uint8Array(size);
  }

  /** Lets the target bucket take only so many writes a second from now on; null: as many as come. */
  throttle(writesPerSecond: number | null): void {
    this.#budget =
      writesPerSecond === null ? null : new WriteBudget(writesPerSecond, () => this.#clock.now());
  }

  begins(kind: Kind): void {
    this.witness(kind, this.#clock.now());
  }

  takesWrite(): boolean {
    const isTaken = this.#budget?.take(1) ?? true;
    if (!isTaken) this.rejected += 1;
    return isTaken;
  }

  /** The objects that stand in one of the two buckets now. */
  stands(bucket: string, index: number): boolean {
    return bucket === this.source ? this.deleted[index] === 0 : (this.copied[index] ?? 0) > 0;
  }

  prefixOf(bucket: string): string {
    return bucket === this.source ? OLD : NEW;
  }

  valueOf(index: number): string {
    return keyOf(this.changed[index] === 0 ? OLD : NEW, index);
  }
}

/** Seven digits, so that the order of keys is that of numbers. */
export function keyOf(prefix: string, index: number): string {
  return `${prefix}${String(index).padStart(7, "0")}.png`;
}

/** The number in `key`; null when it is none of these keys. */
export function indexOf(prefix: string, key: string, size: number): number | null {
  const index = key.startsWith(prefix) ? Number(key.slice(prefix.length, prefix.length + 7)) : Number.NaN;
  return index < size && key === keyOf(prefix, index) ? index : null;
}
