/** Looks at a few of the objects, for what no listing tells: encryption, tags. */

import { hasCode } from "../../domain/errors.ts";
import type { JobSpec } from "../../domain/job-spec.ts";
import type { ObjectFacts, ObjectStore } from "../../ports/object-store.ts";
import type { Problem } from "./preflight-report.ts";

/** What HEAD tells of the source's objects `keys`; those that are gone or that the store will not tell about are left out. */
export async function sampleFacts(
  source: ObjectStore,
  spec: JobSpec,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<ObjectFacts[]> {
  const { bucket } = spec.source;
  const look = async (key: string): Promise<ObjectFacts | null> => {
    try {
      return await source.head({ bucket, key }, {}, signal);
    } catch (error) {
      // The job will say so of every object it concerns.
      if (hasCode(error, "store_denied", "store_refused")) return null;
      throw error;
    }
  };
  return (await Promise.all(keys.map(look))).filter((facts) => facts !== null);
}

/** Tags move nothing that a listing shows: what changes of them between copy and deletion goes with the source. */
export function tagProblems(spec: JobSpec, seen: readonly ObjectFacts[]): Problem[] {
  const tagged = seen.filter(({ tagCount }) => tagCount > 0);
  if (tagged.length === 0 || spec.delete.when === "never") return [];
  const message =
    `${tagged.length} of ${seen.length} objects looked at have tags: they are copied, but a change of an object's tags after its ` +
    "copy and before its deletion is not seen, and is lost; let none be made meanwhile";
  return [{ severity: "warning", code: "tags_not_watched", message, examples: tagged.map(({ key }) => key) }];
}
