/** Whether new keys of a job may be old keys of it too: then no row tells which of the two it names. */

import type { Fault } from "../domain/errors.ts";
import type { JobSpec } from "../domain/job-spec.ts";
import { prefixesOverlap } from "../domain/key-mapping.ts";
import type { ObjectStore } from "../ports/object-store.ts";

/**
 * The prefix of those keys under the source prefix that another key becomes: with `a/` ▸ `a/b/` it is `a/b/`, with
 * `a/b/` ▸ `a/` it is `a/b/b/`. Null where there are none, or no rows to be told apart.
 */
export function nestedPrefix({ source, target, references }: JobSpec): string | null {
  const [from, to] = [source.prefix, target.prefix];
  if (references.length === 0 || from === to || !prefixesOverlap(from, to)) return null;
  return to.startsWith(from) ? to : from + from.slice(to.length);
}

/**
 * One request, of jobs with such a prefix only. A row that was changed for one object would be changed again for the
 * other, by a later batch or after a restart, and name the wrong one.
 */
export async function nestedKeyFaults(store: ObjectStore, spec: JobSpec): Promise<Fault[]> {
  const prefix = nestedPrefix(spec);
  if (prefix === null) return [];
  const { objects } = await store.list({ bucket: spec.source.bucket, prefix, startAfter: null, limit: 1 });
  if (objects.length === 0) return [];
  const message =
    `the source has objects under ${JSON.stringify(prefix)}, whose keys other objects get: rows that name them could ` +
    "not be told apart; choose a target prefix under which the source has none";
  return [{ pointer: "/target/prefix", message, code: "keys_become_others" }];
}
