/** Age of evidence by two clocks: the wall clock may be set, and the monotonic clock may stop while the machine sleeps. */

/** A point in time by both clocks. */
export interface Moment {
  /** Epoch ms. */
  readonly wall: number;
  /** Milliseconds on the process's monotonic clock. */
  readonly monotonic: number;
}

/** The wall clock (epoch ms) and the monotonic clock (ms). */
export interface Clocks {
  now(): number;
  monotonic(): number;
}

/** Now, by both clocks. */
export function momentOf(clocks: Clocks): Moment {
  return { wall: clocks.now(), monotonic: clocks.monotonic() };
}

/**
 * Milliseconds since `since`: the greater of the two clocks' differences. Infinite when the wall clock is behind `since`: it
 * was set back, so the age is unknown.
 */
export function ageMs(since: Moment, clocks: Clocks): number {
  const onTheWall = clocks.now() - since.wall;
  return onTheWall < 0 ? Number.POSITIVE_INFINITY : Math.max(onTheWall, clocks.monotonic() - since.monotonic);
}
