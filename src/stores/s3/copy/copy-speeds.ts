/** Learns how fast a store copies large objects, in one request and in parts, and so which of the two to take. */

import pLimit, { type LimitFunction } from "p-limit";

const MIB = 1024 ** 2;

/** Smaller copies say more of the store's latency than of its speed. */
export const TELLING_BYTES = 64 * MIB;
/** A single copy that takes no longer is not worth the many requests of one in parts. */
const WORTH_MS = 1_000;
/** What one request copies within seconds on any store: cheap enough to see how fast that is. */
const TRIAL_BYTES = 512 * MIB;
/**
 * Bytes a millisecond. On AWS two or three single copies do as much, so parts that do not surpass it have gained little,
 * and a store that copies by reference may do far better in one request.
 */
const POOR_PARTS = (256 * MIB) / 1_000;
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

  /** A copy of `bytes` was at work for `ms`, from its first request to its last answer. */
  note(way: CopyWay, bytes: number, ms: number): void {
    if (bytes < TELLING_BYTES) return;
    const seen = bytes / Math.max(1, ms);
    const known = this.#speeds.get(way) ?? seen;
    this.#speeds.set(way, known + NEWEST * (seen - known));
  }

  /**
   * Whether an object of `bytes` should be copied in parts.
   *
   * | single copies           | copies in parts    | in parts?                                        |
   * |-------------------------|--------------------|--------------------------------------------------|
   * | not seen yet            | not seen yet       | yes: a wrong guess costs requests, not minutes    |
   * | not seen yet            | seen               | yes above 512 MiB; smaller ones try one request  |
   * | not seen yet            | under 256 MiB a second | no: one request is tried whatever the size    |
   * | would take 1 s at most  | any                | no                                               |
   * | would take longer       | not seen yet       | yes, to see                                      |
   * | would take longer       | seen               | if they were faster                              |
   */
  prefersParts(bytes: number): boolean {
    const single = this.#speeds.get("single");
    const parts = this.#speeds.get("parts");
    if (single === undefined) {
      return parts === undefined || (bytes > TRIAL_BYTES && parts >= POOR_PARTS);
    }
    if (bytes / single <= WORTH_MS) return false;
    return parts === undefined || parts > single;
  }
}
