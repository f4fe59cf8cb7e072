/** Times as a column of seconds: the earliest, and how much later each is; objects are mostly written in bursts. */

/** The earliest in epoch seconds, then for each object the seconds after it, or null for a time that is not known. */
export type TimeColumn = readonly [earliest: number, later: readonly (number | null)[]];

const SECOND_MS = 1000;

/** The column of `times` (epoch ms, cut to the second); null when none is known. */
export function timeColumn(times: readonly (number | null)[]): TimeColumn | null {
  const seconds = times.map((time) => (time === null ? null : Math.floor(time / SECOND_MS)));
  const earliest = seconds.reduce<number | null>(
    (least, second) => (second === null ? least : Math.min(least ?? second, second)),
    null,
  );
  if (earliest === null) return null;
  return [earliest, seconds.map((second) => (second === null ? null : second - earliest))];
}

/** The times of `count` objects, epoch ms. */
export function timesOf(column: TimeColumn | null, count: number): (number | null)[] {
  return Array.from({ length: count }, (_, index) => {
    const later = column?.[1][index] ?? null;
    return column === null || later === null ? null : (column[0] + later) * SECOND_MS;
  });
}
