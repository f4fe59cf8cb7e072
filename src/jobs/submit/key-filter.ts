/** `keyFilterOf`: a job's filter as a predicate, globs over the key after the prefix and the time of last change. */

import picomatch from "picomatch";
import type { KeyFilter, ObjectFilter } from "../../domain/job-spec.ts";

/**
 * Builds the filter. A key passes when some `include` matches (or there is none), no `exclude` does, and it was last
 * changed before `modifiedBefore` (epoch ms). Matching includes names that begin with `.`, is case-sensitive, and takes a
 * backslash in a key literally.
 */
export function keyFilterOf(filter: ObjectFilter): KeyFilter {
  const options = { dot: true, nocase: false, posixSlashes: false, strictSlashes: true } as const;
  const included = filter.include.length === 0 ? () => true : picomatch([...filter.include], options);
  const excluded = filter.exclude.length === 0 ? () => false : picomatch([...filter.exclude], options);
  const before =
    filter.modifiedBefore === null ? Number.POSITIVE_INFINITY : Date.parse(filter.modifiedBefore);
  return (key, modifiedAt) => modifiedAt < before && included(key) && !excluded(key);
}
