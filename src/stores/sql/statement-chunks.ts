/** Cuts a list into pieces that fit one statement each. */

/**
 * Consecutive pieces of `items`, each with at most `maxItems` items and `maxBytes` by `bytesOf` (plus a comma each);
 * an item that is too large by itself gets a piece of its own. Empty for an empty list.
 */
export function chunksOf(
  items: readonly string[],
  maxItems: number,
  maxBytes: number,
  bytesOf: (item: string) => number,
): readonly (readonly string[])[] {
  const pieces: string[][] = [];
  let current: string[] = [];
  let size = 0;
  for (const item of items) {
    const bytes = bytesOf(item) + 1;
    if (current.length > 0 && (current.length >= maxItems || size + bytes > maxBytes)) {
      pieces.push(current);
      current = [];
      size = 0;
    }
    current.push(item);
    size += bytes;
  }
  if (current.length > 0) pieces.push(current);
  return pieces;
}
