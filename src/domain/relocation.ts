/** A relocation: a job's source and target, and the mapping of keys and of the column values that name them. */

import type { JobSpec, ObjectLocation } from "./job-spec.ts";
import { mapKey, type PrefixChange, type ValueForm, valueForms } from "./keys/key-mapping.ts";

/** Maps every key under the source's prefix to one under the target's. */
export class Relocation {
  readonly source: ObjectLocation;
  readonly target: ObjectLocation;
  /** The source prefix and the target prefix that replaces it. */
  readonly change: PrefixChange;

  constructor({ source, target }: Pick<JobSpec, "source" | "target">) {
    this.source = source;
    this.target = target;
    this.change = { from: source.prefix, to: target.prefix };
  }

  /** Whether keys change; with equal prefixes objects only change their bucket, and no row changes. */
  get changesKeys(): boolean {
    return this.change.from !== this.change.to;
  }

  /** Whether `key` begins with the source's prefix. */
  holds(key: string): boolean {
    return key.startsWith(this.change.from);
  }

  /** The key in the target bucket for `key`; throws `RangeError` for a key outside the source's prefix. */
  targetKey(key: string): string {
    return mapKey(this.change, key);
  }

  /** The forms in which a column may hold keys, bare or after `urlPrefix`, with the prefixes to exchange in each. */
  valueForms(urlPrefix: string | null): readonly ValueForm[] {
    return valueForms(urlPrefix, this.change);
  }

  /** The relocation with source and target exchanged. */
  reversed(): Relocation {
    return new Relocation({ source: this.target, target: this.source });
  }
}
