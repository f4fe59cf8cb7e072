/** What became of a batch's objects, as a small blob: null while nothing has, and a few bytes when all ended alike. */

import { type BatchObject, MOVED, type Outcome, PENDING, type PlannedObject } from "../../../domain/batch.ts";
import { pack, unpack } from "./packed-json.ts";

/** The same ETag as the source's, the most common case. */
const SAME = 0;

/** As outcomes stand in the ledger, whose text is a format: there a pending one is called `going`. */
type StoredOutcome = Exclude<Outcome, { readonly kind: "pending" }> | { readonly kind: "going" };

interface Outcomes {
  /** The different outcomes. */
  readonly d: readonly StoredOutcome[];
  /** Index into `d` for each object; a single number for all. */
  readonly f: number | readonly number[];
  /** Target ETag of each object; a single value for all. */
  readonly t: typeof SAME | null | readonly (typeof SAME | string | null)[];
}

/** Null when all `objects` are as they were planned. */
export function encodeOutcomes(objects: readonly BatchObject[]): Buffer | null {
  if (objects.every((object) => object.outcome.kind === "pending" && object.targetEtag === null)) return null;
  const distinct = new Map<string, number>();
  // Nearly all objects of a batch have the very same outcome, which need not be written out to be known again.
  const known = new Map<Outcome, number>();
  const numbers = objects.map(({ outcome }) => {
    const seen = known.get(outcome);
    if (seen !== undefined) return seen;
    const text = JSON.stringify(stored(outcome));
    const number = distinct.get(text) ?? distinct.size;
    distinct.set(text, number);
    known.set(outcome, number);
    return number;
  });
  const targets = objects.map((object) => (object.targetEtag === object.etag ? SAME : object.targetEtag));
  const outcomes: Outcomes = {
    d: [...distinct.keys()].map((text) => JSON.parse(text) as StoredOutcome),
    f: distinct.size === 1 ? 0 : numbers,
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
  if (encoded === null) return planned.map((object) => ({ ...object, targetEtag: null, outcome: PENDING }));
  const { d, f, t } = unpack<Outcomes>(encoded);
  const outcomes = d.map(shared);
  return planned.map((object, index) => {
    const target = t === null || t === SAME ? t : (t[index] ?? null);
    return {
      ...object,
      targetEtag: target === SAME ? object.etag : target,
      outcome: outcomes[typeof f === "number" ? f : (f[index] ?? 0)] ?? PENDING,
    };
  });
}

function stored(outcome: Outcome): StoredOutcome {
  return outcome.kind === "pending" ? { kind: "going" } : outcome;
}

function shared(outcome: StoredOutcome): Outcome {
  if (outcome.kind === "going") return PENDING;
  return outcome.kind === "moved" ? MOVED : outcome;
}
