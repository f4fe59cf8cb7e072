/** Order of keys as in S3 listings: by UTF-8 bytes, not by JavaScript's UTF-16 units. */

/**
 * Compares two keys by UTF-8 bytes; negative, zero or positive.
 *
 * UTF-16 order differs from UTF-8 order only where a surrogate meets U+E000–U+FFFF: surrogates must sort above.
 * Source: ListObjectsV2 documentation, "UTF-8 binary order".
 */
export function compareKeys(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i += 1) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Moves surrogates above U+FFFF so that code units compare as code points do. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x1_0000 : unit;
}

/**
 * A string just below `key` in byte order: a listing after it begins at `key`, or a few keys before it. The last character
 * is lowered if it is printable ASCII; otherwise it is dropped, which is lower too.
 */
export function justBefore(key: string): string {
  if (key === "") return "";
  const last = key.charCodeAt(key.length - 1);
  const head = key.slice(0, -1);
  if (last > 0x21 && last <= 0x7e) return `${head}${String.fromCharCode(last - 1)}~`;
  const dropsPair = last >= 0xdc00 && last <= 0xdfff;
  return dropsPair ? key.slice(0, -2) : head;
}

/** The longest prefix that all `keys` share; does not split a surrogate pair. */
export function commonPrefix(keys: readonly string[]): string {
  const [first, ...others] = keys;
  if (first === undefined) return "";
  let length = first.length;
  for (const key of others) {
    let i = 0;
    while (i < length && key.charCodeAt(i) === first.charCodeAt(i)) i += 1;
    length = i;
  }
  const last = first.charCodeAt(length - 1);
  return first.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}
