/** How many copies travel together in one consignment. Pure. */

/** Fewer are copied by the service itself: they take less time than the preparation of an external job. */
export const LEAST_CONSIGNED = 1_000;

/** A first small one shows what is wrong before much depends on it; the later ones spare fees, which are charged per job. */
const GROWTH: readonly number[] = [10_000, 100_000];
const MOST = 1_000_000;

/** The copies in consignment `id` (1, 2, … within the job) at most, of an engine that takes `most`. */
export function consignmentSize(id: number, most: number): number {
  return Math.min(GROWTH[id - 1] ?? MOST, most);
}
