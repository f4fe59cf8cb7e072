/** Mapping of source keys to target keys, and of keys to the values that rows store; exact, nothing is normalised. */

import { MAX_KEY_BYTES } from "../job-spec.ts";

/** The prefixes a job exchanges. */
export interface PrefixChange {
  readonly from: string;
  readonly to: string;
}

/** The target key of `key`, which must start with `change.from`; only that first occurrence is replaced. */
export function mapKey(change: PrefixChange, key: string): string {
  if (!key.startsWith(change.from)) throw new RangeError("the key does not start with the source prefix");
  return change.to + key.slice(change.from.length);
}

/** Length of `key` in UTF-8 bytes. */
export function keyBytes(key: string): number {
  return Buffer.byteLength(key, "utf8");
}

/** Why S3 does not accept `key`: it takes 1–1,024 UTF-8 bytes and no lone surrogate (which has no UTF-8 form); null: it does. */
export function keyFault(key: string): "key_too_long" | "key_invalid" | null {
  if (key === "" || !key.isWellFormed()) return "key_invalid";
  return keyBytes(key) > MAX_KEY_BYTES ? "key_too_long" : null;
}

/** Whether a key can begin with both `a` and `b`. */
export function prefixesOverlap(a: string, b: string): boolean {
  return a.startsWith(b) || b.startsWith(a);
}

/** Percent-encodes a key as the path of a URL: each segment with `encodeURIComponent`, slashes kept. */
export function encodeKeyPath(key: string): string {
  return key.split("/").map(encodeURIComponent).join("/");
}

/** As {@link encodeKeyPath}, with `!'()*` encoded too (RFC 3986), as Python and PHP do. */
function encodeKeyPathStrictly(key: string): string {
  return encodeKeyPath(key).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** A form in which a column may hold keys: the values, and the prefixes to exchange in all of them. */
export interface ValueForm {
  /** The part of the value before the unchanged part of the key, old and new. */
  readonly change: PrefixChange;
  /** The stored value of `key`; null where that value would mean another key. */
  valueOf(key: string): string | null;
}

/**
 * The forms in which a reference's column may hold keys: the bare key, or after a `urlPrefix` the key as it is and
 * the key percent-encoded in either common way. All are compared byte for byte.
 */
export function valueForms(urlPrefix: string | null, change: PrefixChange): readonly ValueForm[] {
  const before = urlPrefix ?? "";
  const raw: ValueForm = {
    change: { from: before + change.from, to: before + change.to },
    // In a URL `a%20b` means the key `a b`: the raw form of the key `a%20b` would match that other key's rows.
    valueOf: (key) => (keyOfValue(urlPrefix, before + key) === key ? before + key : null),
  };
  if (urlPrefix === null) return [raw];
  const encoded = [encodeKeyPath, encodeKeyPathStrictly].map(
    (encode): ValueForm => ({
      change: { from: before + encode(change.from), to: before + encode(change.to) },
      valueOf: (key) => before + encode(key),
    }),
  );
  return [raw, ...encoded];
}

/**
 * The key that a stored `value` names, or null when the value does not follow the reference's form (a query string,
 * a malformed escape): such values are refused, never guessed at.
 */
export function keyOfValue(urlPrefix: string | null, value: string): string | null {
  if (urlPrefix === null) return value;
  if (!value.startsWith(urlPrefix)) return null;
  const path = value.slice(urlPrefix.length);
  if (/[?#]/.test(path)) return null;
  if (!path.includes("%")) return path;
  try {
    const key = decodeURIComponent(path);
    return encodeKeyPath(key) === path || encodeKeyPathStrictly(key) === path ? key : null;
  } catch {
    return null;
  }
}

/**
 * Keys that `value` may mean although {@link keyOfValue} refuses it: with a query string, other escapes (`%c3`), `+` for a
 * space. Such a value is never rewritten, but while a row holds it these objects are not deleted.
 */
export function possibleKeys(urlPrefix: string, value: string): readonly string[] {
  if (!value.startsWith(urlPrefix) || keyOfValue(urlPrefix, value) !== null) return [];
  const whole = value.slice(urlPrefix.length);
  const path = whole.replace(/[?#].*$/s, "");
  const readings = [whole, path, path.replaceAll("+", " ")];
  return [...new Set(readings.flatMap((reading) => [reading, decoded(reading)]))].filter(
    (key) => key !== null,
  );
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
