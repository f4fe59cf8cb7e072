/** Entity tags of jobs (RFC 9110 §8.8.3): a job's version in quotes. */

/** The ETag of a job; strong, since `If-Match` compares strongly. */
export function entityTag(version: number): string {
  return `"${version}"`;
}

const STRONG = /^"(\d{1,15})"$/;

/**
 * The versions that `If-Match` names, by strong comparison (RFC 9110 §13.1.1): weak and foreign tags match nothing.
 * Null: any version matches.
 */
export function versionsMatched(header: string | undefined): readonly number[] | null {
  if (header === undefined || header.trim() === "*") return null;
  return header.split(",").flatMap((tag) => {
    const version = STRONG.exec(tag.trim())?.[1];
    return version === undefined ? [] : [Number(version)];
  });
}

/** Whether `If-None-Match` names `tag`, by weak comparison (RFC 9110 §13.1.2). */
export function matchesNone(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === "*") return true;
  return header.split(",").some((one) => one.trim().replace(/^W\//, "") === tag);
}
