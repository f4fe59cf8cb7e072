/** Where a job takes objects from and to, and how keys and the values that name them change on the way. */

import type { JobSpec, ObjectLocation } from "./job-spec.ts";
import { mapKey, type PrefixChange, type ValueForm, valueForms } from "./keys/key-mapping.ts";

/** A relocation: every key under the source's prefix has its place under the target's. */
export class Relocation {
  readonly source: ObjectLocation;
  readonly target: ObjectLocation;
  /** The prefixes that keys exchange. */
  readonly change: PrefixChange;

  constructor({ source, target }: Pick<JobSpec, "source" | "target">) {
    this.source = source;
    this.target = target;
    this.change = { from: source.prefix, to: target.prefix };
  }

  /** Whether keys change at all; with equal prefixes objects only change their bucket, and no row changes. */
  get changesKeys(): boolean {
    return this.change.from !== this.change.to;
  }

  /** Whether `key` lies under the source's prefix, and so is to be moved. */
  holds(key: string): boolean {
    return key.startsWith(this.change.from);
  }

  /** The key under which `key` stands, or will stand, in the target; throws `RangeError` for one outside the source. */
  targetKey(key: string): string {
    return mapKey(this.change, key);
  }

  /** How a column may spell keys, bare or after `urlPrefix`, with the values' own change. */
  valueForms(urlPrefix: string | null): readonly ValueForm[] {
    return valueForms(urlPrefix, this.change);
  }

  /** The way back. */
  reversed(): Relocation {
    return new Relocation({ source: this.target, target: this.source });
  }
}
