/** Learns how fast a store copies large objects, in one request and in parts, and so which of the two to take. */

import pLimit, { type LimitFunction } from "p-limit";

const MIB = 1024 ** 2;

/** Smaller copies say more of the store's latency than of its speed. */
const TELLING_BYTES = 64 * MIB;
/** A single copy that takes no longer is not worth the six and more requests of one in parts. */
const WORTH_MS = 2_000;
/** Weight of the newest copy in the average. */
const NEWEST = 0.3;
/** Parts under way at once over all large objects of a store; the other connections are left to everything else. */
const MOST_PARTS = 128;

/** In one request, or in parts. */
export type CopyWay = "single" | "parts";

/** Shared by all jobs on a store. */
export class CopySpeeds {
  /** Every part of every object takes a place here. */
  readonly slots: LimitFunction = pLimit(MOST_PARTS);
  /** Bytes a millisecond. */
  readonly #speeds = new Map<CopyWay, number>();

  /** A copy of `bytes` took `ms` from its first request to its last answer. */
  note(way: CopyWay, bytes: number, ms: number): void {
    if (bytes < TELLING_BYTES) return;
    const seen = bytes / Math.max(1, ms);
    const known = this.#speeds.get(way) ?? seen;
    this.#speeds.set(way, known + NEWEST * (seen - known));
  }

  /**
   * Whether an object of `bytes` should be copied in parts.
   *
   * | single copies       | copies in parts | in parts?                    |
   * |---------------------|-----------------|------------------------------|
   * | not seen yet        | any             | no: what is simple is tried first |
   * | would take 2 s at most | any          | no                           |
   * | would take longer   | not seen yet    | yes, to see                  |
   * | would take longer   | seen            | if they were faster          |
   */
  prefersParts(bytes: number): boolean {
    const single = this.#speeds.get("single");
    if (single === undefined || bytes / single <= WORTH_MS) return false;
    return (this.#speeds.get("parts") ?? Number.POSITIVE_INFINITY) > single;
  }
}
