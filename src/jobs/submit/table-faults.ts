/** `tableFaults`: faults of a reference's table, e.g. missing columns. */

import { type Fault, hasCode, messageOf } from "../../domain/errors.ts";
import type { JobSpec, ReferenceSpec } from "../../domain/job-spec.ts";
import { valueForms } from "../../domain/keys/key-mapping.ts";
import { commonPrefix } from "../../domain/keys/key-order.ts";
import type { JobParts } from "../job-parts.ts";

/** The faults of the table of `reference`, the job's `index`-th (from 0); throws `database_unavailable` without an answer. */
export async function tableFaults(
  parts: JobParts,
  spec: JobSpec,
  reference: ReferenceSpec,
  index: number,
): Promise<Fault[]> {
  const pointer = `/references/${index}`;
  const table = parts.connections.reference(reference, {});
  try {
    const facts = await table.inspect();
    if (!facts.tableExists) {
      return [
        {
          pointer: `${pointer}/table`,
          message: `there is no table ${JSON.stringify(reference.table)}`,
          code: "table_missing",
        },
      ];
    }
    const faults = facts.missingColumns.map((name) => columnFault(reference, name, pointer));
    if (faults.length > 0) return faults;
    if (!facts.keyIsUnique) {
      faults.push({
        pointer: `${pointer}/key`,
        message: "not a primary or unique key: rows cannot be paged by it",
      });
    }
    if (faults.length === 0 && index === 0 && spec.inventory.from === "database") {
      const change = { from: spec.source.prefix, to: spec.target.prefix };
      const starts = valueForms(reference.urlPrefix, change).map((form) => form.change.from);
      const rows = await table.page(null, commonPrefix(starts), 1);
      if (rows.length === 0) {
        faults.push({
          pointer,
          message: "no row names an object with the source prefix: there is nothing to move",
          code: "prefix_without_match",
        });
      }
    }
    return faults;
  } catch (error) {
    if (hasCode(error, "database_refused"))
      return [{ pointer: `${pointer}/database`, message: messageOf(error) }];
    throw error;
  }
}

function columnFault(reference: ReferenceSpec, name: string, pointer: string): Fault {
  const message = `there is no column ${JSON.stringify(name)}`;
  return { pointer: `${pointer}${fieldNaming(reference, name)}`, message, code: "column_missing" };
}

function fieldNaming({ key, column, set }: ReferenceSpec, name: string): string {
  if (name === column) return "/column";
  if (name === key) return "/key";
  return `${Object.hasOwn(set, name) ? "/set" : "/where"}/${name}`;
}
