/** Where to split the remaining key range of a listing when the distribution of its keys is unknown. */

import { MAX_KEY_BYTES } from "../job-spec.ts";
import type { KeyAlphabet } from "./key-alphabet.ts";
import { codePoints, pointBetween, sharedLength } from "./key-bisection.ts";

/** Above every character. */
const TOP = 0x11_0000;
/** Characters that determine the estimated size of a remainder; later ones add less than the rounding error. */
const TELLING_LEVELS = 8;

/** The unlisted part of a range, and what its listing has shown so far. Levels are indexes of code points. */
export interface Remainder {
  /** Exclusive; begins with the prefix of the listing. */
  readonly after: string;
  /** Inclusive; null: the end of the prefix. */
  readonly upTo: string | null;
  /** Code points of the listing's prefix. */
  readonly prefixLevel: number;
  /** The level at which keys on both sides of the range's beginning differ; null: not known. */
  readonly fanLevel: number | null;
  /** The level at which the keys of the last page differ: a split below it would cut off less than a page. */
  readonly pageLevel: number;
}

export interface SplitPoint {
  readonly key: string;
  /** Level of the character chosen by the split. */
  readonly level: number;
}

/**
 * A point inside `remainder` that probably has many keys on either side, made of known characters; null when there is none.
 * At a level where keys are known to differ it halves the known characters. Otherwise it splits at a level half-way down,
 * just above what the keys share; the listing there then shows whether they differ at that level or above. By this
 * bisection a common prefix of a thousand characters costs only a few splits with no keys behind them.
 */
export function splitPoint(remainder: Remainder, alphabet: KeyAlphabet): SplitPoint | null {
  const after = codePoints(remainder.after);
  let level = remainder.prefixLevel;
  if (remainder.upTo !== null) {
    const upTo = codePoints(remainder.upTo);
    level = sharedLength(after, upTo);
    const middle = median(alphabet.between(after[level] ?? -1, upTo[level] ?? -1));
    if (middle !== undefined) return cutAt(after, level, middle);
    if (upTo.length > level + 1) return cutAt(upTo, level, upTo[level] ?? 0);
    // Between adjacent characters there are only keys that agree with `after` up to and including this level.
    level += 1;
  }
  return openCut(after, level, remainder, alphabet);
}

/** As {@link splitPoint}, without known characters: for keys made of characters not listed yet. */
export function blindSplitPoint({ after, upTo, prefixLevel }: Remainder): SplitPoint | null {
  const prefix = codePoints(after).slice(0, prefixLevel);
  const head = String.fromCodePoint(...prefix);
  const rest = pointBetween(after.slice(head.length), upTo === null ? null : upTo.slice(head.length));
  if (rest === null) return null;
  return usable({ key: head + rest, level: prefixLevel + codePoints(rest).length - 1 });
}

/** Natural logarithm of the remaining part of the key space; comparable only between remainders of one listing. */
export function logKeySpaceSize({ after, upTo, prefixLevel }: Remainder, alphabet: KeyAlphabet): number {
  const low = codePoints(after);
  const high = upTo === null ? null : codePoints(upTo);
  const level = high === null ? prefixLevel : sharedLength(low, high);
  const base = alphabet.size + 2;
  const digit = (point: number | undefined) => (point === undefined ? 0 : alphabet.rank(point) + 1);
  let difference = high === null ? base - 1 : 0;
  for (let i = 0; i < TELLING_LEVELS; i += 1) {
    const upper = high === null ? 0 : digit(high[level + i]);
    difference += (upper - digit(low[level + i])) / base ** i;
  }
  return Math.log(Math.max(difference, Number.MIN_VALUE)) - (level - prefixLevel) * Math.log(base);
}

/** A split at one of the levels from `level` down, where no upper bound applies; null when less than a page is left. */
function openCut(
  after: readonly number[],
  level: number,
  { fanLevel, pageLevel }: Remainder,
  alphabet: KeyAlphabet,
): SplitPoint | null {
  const fan = fanLevel !== null && fanLevel >= level ? fanLevel : null;
  const deepest = Math.min(after.length - 1, fan ?? pageLevel);
  const start = deepest < level ? deepest : (level + deepest) >> 1;
  const cut = (at: number): SplitPoint | null => {
    const above = alphabet.between(after[at] ?? TOP, TOP);
    const chosen = at === fan ? median(above) : above[0];
    return chosen === undefined ? null : cutAt(after, at, chosen);
  };
  for (let at = start; at >= level; at -= 1) {
    const found = cut(at);
    if (found !== null) return found;
  }
  for (let at = start + 1; at <= deepest; at += 1) {
    const found = cut(at);
    if (found !== null) return found;
  }
  return null;
}

function cutAt(of: readonly number[], level: number, character: number): SplitPoint | null {
  return usable({ key: String.fromCodePoint(...of.slice(0, level), character), level });
}

/** Null for a position longer than any key, which stores may refuse. */
function usable(point: SplitPoint): SplitPoint | null {
  return Buffer.byteLength(point.key, "utf8") <= MAX_KEY_BYTES ? point : null;
}

function median(characters: readonly number[]): number | undefined {
  return characters[characters.length >> 1];
}
