/** The order in which values may be rewritten when new values can equal old ones. */

import { type PrefixChange, prefixesOverlap } from "./keys/key-mapping.ts";

/**
 * Groups `values` so that no value is rewritten before the one it turns into. With `a/` ▸ `a/b/` the value `a/x`
 * becomes `a/b/x`, which may be in the list itself: a repeated, halved or later statement would change that row twice.
 */
export function inSafeOrder(values: Iterable<string>, change: PrefixChange): readonly (readonly string[])[] {
  const distinct = new Set(values);
  if (!prefixesOverlap(change.from, change.to) || change.to === change.from) return [[...distinct]];
  const layers: string[][] = [];
  for (const value of distinct) {
    let depth = 0;
    for (let next = mapped(value, change); distinct.has(next); next = mapped(next, change)) depth += 1;
    for (let missing = layers.length; missing <= depth; missing += 1) layers.push([]);
    layers[depth]?.push(value);
  }
  return layers;
}

function mapped(value: string, change: PrefixChange): string {
  return change.to + value.slice(change.from.length);
}
