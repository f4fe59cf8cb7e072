/** Strings between two keys in UTF-8 byte order, which equals code point order. */

/** The number of characters: all code points but the surrogates, which have no UTF-8 form. */
const CHARACTERS = 0x11_0000 - 0x800;

/**
 * A string strictly between `low` and `high` in byte order, about half-way at the first character where there is room;
 * well-formed whenever `low` and `high` are. `high` null: no upper bound. Null when nothing fits between.
 */
export function pointBetween(low: string, high: string | null): string | null {
  const below = ordinals(low);
  const above = high === null ? null : ordinals(high);
  const level = above === null ? 0 : sharedLength(below, above);
  const x = below[level] ?? -1;
  const y = above === null ? CHARACTERS : above[level];
  // `high` is `low` or a prefix of it.
  if (y === undefined || y <= x) return null;
  const middle = (x + y) >> 1;
  const head = below.slice(0, level);
  if (middle > x) return text([...head, middle]);
  // Adjacent characters: `high` truncated after its character lies between, unless that is all of `high`.
  if (above !== null && above.length > level + 1) return text([...head, y]);
  if (x < 0) return null;
  return text([...head, x, ...justAbove(below.slice(level + 1))]);
}

/** The code points of `key`; levels are indexes into them. */
export function codePoints(key: string): number[] {
  return Array.from(key, (character) => character.codePointAt(0) ?? 0);
}

/** Number of leading code points that `a` and `b` share. */
export function sharedLength(a: readonly number[], b: readonly number[]): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length += 1;
  return length;
}

/** A sequence above `below`, half-way to the last character at the first position that is not that character. */
function justAbove(below: readonly number[]): number[] {
  const level = below.findIndex((x) => x < CHARACTERS - 1);
  const at = level < 0 ? below.length : level;
  return [...below.slice(0, at), ((below[at] ?? -1) + CHARACTERS) >> 1];
}

/** Code points renumbered without the surrogates' gap, so that every number between two of them is a character. */
function ordinals(key: string): number[] {
  return codePoints(key).map((point) => (point < 0xe000 ? point : point - 0x800));
}

function text(characters: readonly number[]): string {
  return characters.map((at) => String.fromCodePoint(at < 0xd800 ? at : at + 0x800)).join("");
}
