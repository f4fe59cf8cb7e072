/** Refuses nested prefixes: rewritten rows could not be told from rows that are still to be rewritten. */

import type { Fault } from "../errors.ts";
import type { JobSpec } from "../job-spec.ts";
import { prefixesOverlap, valueForms } from "./key-mapping.ts";

/**
 * The fault of a job with references of which one prefix begins with the other, in any form of the values; at most one. The
 * existing keys do not matter: with `image/` ▸ `image/v2/` the row of an object that the application puts under `image/v2/`
 * while the job runs cannot be told from a row that the job has rewritten. Without the fault no value that begins with a
 * new prefix begins with an old one, so no row is rewritten twice, in any order of events. Equal prefixes change no value.
 */
export function nestedPrefixFaults({ source, target, references }: JobSpec): Fault[] {
  const change = { from: source.prefix, to: target.prefix };
  if (change.from === change.to || !(change.from + change.to).isWellFormed()) return [];
  const isNested = references.some(({ urlPrefix }) => {
    const forms = valueForms(urlPrefix, change);
    return forms.some(({ change: { to } }) => forms.some((other) => prefixesOverlap(to, other.change.from)));
  });
  if (!isNested) return [];
  const message =
    `${JSON.stringify(change.from)} and ${JSON.stringify(change.to)} begin alike: a row that was rewritten could not be told ` +
    "from one that is still to be; choose prefixes of which neither begins with the other (a whole bucket is moved by a " +
    "job for each of its top-level prefixes), or leave the references out and change the rows yourself";
  return [{ pointer: "/target/prefix", message, code: "keys_become_others" }];
}
