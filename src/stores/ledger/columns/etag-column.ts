/** ETags as columns: the 16 random bytes that most of them are stay raw, for they cannot be compressed. */

/** For each object what follows its 16 raw bytes (`""`, or `-7` for seven parts), or null and the whole text. */
export type EtagSuffixes = readonly (string | readonly [string])[] | null;

const MD5_LIKE = /^([0-9a-f]{32})(|-\d{1,5})$/;

/** Splits `etags` into raw bytes and the rest; the rest is null when all are plain MD5s. */
export function etagColumn(etags: readonly string[]): {
  readonly suffixes: EtagSuffixes;
  readonly raw: Buffer;
} {
  const matches = etags.map((etag) => MD5_LIKE.exec(etag));
  const suffixes = matches.map((match, index) => match?.[2] ?? ([etags[index] ?? ""] as const));
  return {
    suffixes: suffixes.every((suffix) => suffix === "") ? null : suffixes,
    raw: Buffer.from(matches.map((match) => match?.[1] ?? "").join(""), "hex"),
  };
}

/** The ETags of `count` objects. */
export function etagsOf(suffixes: EtagSuffixes, raw: Buffer, count: number): string[] {
  const hex = raw.toString("hex");
  let next = 0;
  return Array.from({ length: count }, (_, index) => {
    const suffix = suffixes === null ? "" : (suffixes[index] ?? "");
    if (typeof suffix !== "string") return suffix[0];
    next += 32;
    return hex.slice(next - 32, next) + suffix;
  });
}
