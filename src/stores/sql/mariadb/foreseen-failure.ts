/** What will surely fail with a value, known without a statement: saves bisecting a whole batch. */

import type { PrefixChange } from "../../../domain/keys/key-mapping.ts";
import type { RewriteFailure } from "../../../ports/reference-table.ts";
import type { ColumnFacts } from "./mariadb-facts.ts";
import { canHold } from "./mariadb-literals.ts";

/** Why the column cannot take what `value` becomes by `change`; null when it can, as far as its type tells. */
export function foreseenFailure(
  facts: ColumnFacts,
  value: string,
  change: PrefixChange,
): RewriteFailure | null {
  const next = change.to + value.slice(change.from.length);
  if (canHold(facts.charset, next) !== true) {
    const message = `column ${facts.name} (${facts.charset ?? "binary"}) cannot hold the new value`;
    return { value, code: "row_not_updated", message };
  }
  const isCounted = /^(var)?(char|binary)$/.test(facts.dataType);
  const length = facts.charset === null ? Buffer.byteLength(next, "utf8") : [...next].length;
  if (!isCounted || facts.length === null || length <= facts.length) return null;
  const message = `the new value has ${length} characters, column ${facts.name} holds ${facts.length}`;
  return { value, code: "row_value_too_long", message };
}
