/** Maps keys to strings whose native order is S3's order: that of the UTF-8 bytes. */

/** UTF-16 and UTF-8 disagree only where surrogates meet U+E000–U+FFFF, so other keys need no work. */
const AFFECTED = /[\ud800-\uffff]/;

/** The string that sorts, with `<`, where `key` sorts by UTF-8 bytes; `key` itself for almost every key. */
export function toByteOrder(key: string): string {
  return AFFECTED.test(key) ? mapUnits(key, raiseSurrogates) : key;
}

/** The key whose {@link toByteOrder} is `ordered`. */
export function fromByteOrder(ordered: string): string {
  return AFFECTED.test(ordered) ? mapUnits(ordered, lowerSurrogates) : ordered;
}

function raiseSurrogates(unit: number): number {
  if (unit >= 0xe000) return unit - 0x800;
  return unit >= 0xd800 ? unit + 0x2000 : unit;
}

function lowerSurrogates(unit: number): number {
  if (unit >= 0xf800) return unit - 0x2000;
  return unit >= 0xd800 ? unit + 0x800 : unit;
}

function mapUnits(text: string, map: (unit: number) => number): string {
  let mapped = "";
  for (let at = 0; at < text.length; at++) mapped += String.fromCharCode(map(text.charCodeAt(at)));
  return mapped;
}
