/** What holds for a reference in any database, checked before a statement is built. */

import { DomainError } from "../../domain/errors.ts";
import type { ReferenceSpec } from "../../domain/job-spec.ts";
import type { PrefixChange } from "../../domain/keys/key-mapping.ts";

/** Refuses names no database has, and a `set` that would overwrite the column or the key. */
export function assertSpec(spec: ReferenceSpec): void {
  const names = [spec.table, spec.key, spec.column, ...Object.keys(spec.set), ...Object.keys(spec.where)];
  if (names.some((name) => name === "" || name.includes("\0"))) {
    throw new DomainError("invalid_input", "a reference's table or column name is empty or contains NUL");
  }
  const taken = [spec.column.toLowerCase(), spec.key.toLowerCase()];
  const clash = Object.keys(spec.set).find((name) => taken.includes(name.toLowerCase()));
  if (clash !== undefined) {
    throw new DomainError(
      "invalid_input",
      `set must not change ${clash}: it is the reference's column or key`,
    );
  }
}

/** Throws RangeError for a value outside the prefix, whose first characters would be cut off: a bug of the caller. */
export function assertRewritable(values: readonly string[], change: PrefixChange): void {
  if (values.some((value) => !value.startsWith(change.from))) {
    throw new RangeError("a value to rewrite does not start with the old prefix");
  }
}
