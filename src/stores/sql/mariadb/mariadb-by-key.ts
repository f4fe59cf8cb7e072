/** The text of the statements that find, change and read rows by their keys. */

import type { PrefixChange } from "../../../domain/keys/key-mapping.ts";
import { exactlyListed, listed, type Plan, setting, withPrefix } from "./mariadb-statements.ts";

/** At most `most` rows within `where` that hold exactly one of `values`. */
export function heldSql(plan: Plan, values: readonly string[], most: number): string {
  const { key, keyType, column, table, byColumn } = plan;
  const holding = `${listed(plan, values)} AND ${exactlyListed(plan, values)}${plan.where}`;
  return `SELECT ${keyType.asText(key)}, ${column} FROM ${table} r${byColumn} WHERE ${holding} LIMIT ${most}`;
}

/** The compare-and-set on the rows whose keys are `ids`, of which each must hold one of `values`. */
export function rewriteByKeySql(
  plan: Plan,
  values: readonly string[],
  change: PrefixChange,
  ids: readonly string[],
): string {
  // Without an index on the key the column's one leads to the rows.
  const hint = plan.byKey === "" ? plan.byColumn : plan.byKey;
  const rows = `${keyed(plan, ids)} AND ${listed(plan, values)} AND ${exactlyListed(plan, values)}`;
  return `UPDATE ${plan.table} r${hint} ${setting(plan, change)} WHERE ${rows}${withPrefix(plan, change)}`;
}

/** The rows whose keys are `ids`, with their values. */
export function byKeySql(plan: Plan, ids: readonly string[]): string {
  const { key, keyType, column, table, byKey } = plan;
  return `SELECT ${keyType.asText(key)}, ${column} FROM ${table} r${byKey} WHERE ${keyed(plan, ids)}`;
}

function keyed({ key, keyType }: Plan, ids: readonly string[]): string {
  const literals = ids.map((id) => keyType.literal(id)).filter((literal) => literal !== null);
  return literals.length === 0 ? "FALSE" : `${key} IN (${literals.join(",")})`;
}
