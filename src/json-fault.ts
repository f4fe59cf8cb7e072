/** Where a text stops being JSON: `JSON.parse` often does not say, and when it does it quotes the text. */

import jsonc from "jsonc-parser";

/**
 * Says, without quoting it, where `text` stops being JSON: `it ends too early, at line 3, column 14` or `see line …`, both
 * counted from 1. Null for a text that is JSON.
 */
export function jsonFault(text: string): string | null {
  if (isJson(text)) return null;
  const index = faultIndex(text);
  if (index === null) return "it is nested too deeply to say where";
  const place = placeOf(text, index);
  return index === text.length ? `it ends too early, at ${place}` : `see ${place}`;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Index of the first token that cannot be there, the text's length when it ends too early; null when nested too deeply. */
function faultIndex(text: string): number | null {
  let first: number | null = null;
  const onError = (_code: unknown, offset: number) => {
    first = Math.min(first ?? offset, offset);
  };
  try {
    jsonc.visit(text, { onError }, { disallowComments: true });
  } catch (error) {
    // The library descends by recursion, JSON.parse does not.
    if (!(error instanceof RangeError)) throw error;
  }
  return first;
}

function placeOf(text: string, index: number): string {
  const before = text.slice(0, index).split("\n");
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}
