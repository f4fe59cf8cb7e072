/** How old evidence is, by two clocks: the one on the wall may be set, and the other may stand still while a machine sleeps. */

/** When something was seen. */
export interface Moment {
  /** Epoch ms. */
  readonly wall: number;
  /** Milliseconds on the process's monotonic clock. */
  readonly monotonic: number;
}

/** Both clocks. */
export interface Clocks {
  now(): number;
  monotonic(): number;
}

export function momentOf(clocks: Clocks): Moment {
  return { wall: clocks.now(), monotonic: clocks.monotonic() };
}

/**
 * Milliseconds since `since`: the greater of the two clocks' counts. Infinite where the wall clock is behind `since`: it was
 * set back, and how old the evidence is cannot be told.
 */
export function ageMs(since: Moment, clocks: Clocks): number {
  const onTheWall = clocks.now() - since.wall;
  return onTheWall < 0 ? Number.POSITIVE_INFINITY : Math.max(onTheWall, clocks.monotonic() - since.monotonic);
}
