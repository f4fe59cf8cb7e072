/** What became of a batch's objects, as a small blob: null while nothing has, and a few bytes when all fared alike. */

import { type BatchObject, type Fate, GOING, MOVED, type PlannedObject } from "../../domain/batch.ts";
import { pack, unpack } from "./packed-json.ts";

/** The same ETag as the source's, the most common case. */
const SAME = 0;

interface Outcomes {
  /** The different fates. */
  readonly d: readonly Fate[];
  /** Index into `d` for each object; a single number for all. */
  readonly f: number | readonly number[];
  /** Target ETag of each object; a single value for all. */
  readonly t: typeof SAME | null | readonly (typeof SAME | string | null)[];
}

/** Null when all `objects` are as they were planned. */
export function encodeOutcomes(objects: readonly BatchObject[]): Buffer | null {
  if (objects.every((object) => object.fate.kind === "going" && object.targetEtag === null)) return null;
  const fates = new Map<string, number>();
  // Nearly all objects of a batch have the very same fate, which need not be written out to be known again.
  const known = new Map<Fate, number>();
  const numbers = objects.map(({ fate }) => {
    const seen = known.get(fate);
    if (seen !== undefined) return seen;
    const text = JSON.stringify(fate);
    const number = fates.get(text) ?? fates.size;
    fates.set(text, number);
    known.set(fate, number);
    return number;
  });
  const targets = objects.map((object) => (object.targetEtag === object.etag ? SAME : object.targetEtag));
  const outcomes: Outcomes = {
    d: [...fates.keys()].map((text) => JSON.parse(text) as Fate),
    f: fates.size === 1 ? 0 : numbers,
    t: targets.every((target) => target === SAME)
      ? SAME
      : targets.every((target) => target === null)
        ? null
        : targets,
  };
  return pack(outcomes);
}

/** `planned` with what became of them. */
export function withOutcomes(planned: readonly PlannedObject[], encoded: Buffer | null): BatchObject[] {
  if (encoded === null) return planned.map((object) => ({ ...object, targetEtag: null, fate: GOING }));
  const { d, f, t } = unpack<Outcomes>(encoded);
  const fates = d.map(shared);
  return planned.map((object, index) => {
    const target = t === null || t === SAME ? t : (t[index] ?? null);
    return {
      ...object,
      targetEtag: target === SAME ? object.etag : target,
      fate: fates[typeof f === "number" ? f : (f[index] ?? 0)] ?? GOING,
    };
  });
}

function shared(fate: Fate): Fate {
  if (fate.kind === "going") return GOING;
  return fate.kind === "moved" ? MOVED : fate;
}
