/** `sampleFacts` and `tagProblems`: read a few objects by HEAD, for what no listing shows (encryption, tags). */

import { hasCode } from "../../domain/errors.ts";
import type { JobSpec } from "../../domain/job-spec.ts";
import type { ObjectFacts, ObjectStore } from "../../ports/object-store.ts";
import type { PreflightProblem } from "./preflight-report.ts";

/** The facts of the source's objects `keys` by HEAD; missing objects and refused ones are left out. */
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
      // Not reported here: the job makes each such object an exception.
      if (hasCode(error, "store_denied", "store_refused")) return null;
      throw error;
    }
  };
  return (await Promise.all(keys.map(look))).filter((facts) => facts !== null);
}

/** Warns of tags, since no listing shows a change of them: one made between copy and deletion is lost with the source. */
export function tagProblems(spec: JobSpec, seen: readonly ObjectFacts[]): PreflightProblem[] {
  const tagged = seen.filter(({ tagCount }) => tagCount > 0);
  if (tagged.length === 0 || spec.delete.when === "never") return [];
  const message =
    `${tagged.length} of ${seen.length} objects looked at have tags: they are copied, but a change of an object's tags after its ` +
    "copy and before its deletion is not seen, and is lost; let none be made meanwhile";
  return [{ severity: "warning", code: "tags_not_watched", message, examples: tagged.map(({ key }) => key) }];
}
