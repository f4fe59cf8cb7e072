/** When requests arrive at a sandbox store, and how many of them any second holds. */

import type { RequestMatch } from "../../src/sandbox/fault-rules.ts";
import type { S3Request } from "../../src/sandbox/s3-request.ts";
import type { SandboxStore } from "../../src/sandbox/sandbox-store.ts";

export interface Arrival {
  /** By the clock that was given. */
  readonly at: number;
  readonly operation: string;
  readonly bucket: string;
  /** Of a copy: the key it writes. */
  readonly key: string;
}

/** Notes each request to `store` as it arrives, those `match` meets; delays none. */
export function noteArrivals(store: SandboxStore, now: () => number, match: RequestMatch = {}): Arrival[] {
  const arrivals: Arrival[] = [];
  const note = ({ target }: S3Request) => {
    arrivals.push({ at: now(), operation: target.operation, bucket: target.bucket, key: target.key });
    return false;
  };
  store.faults.hold({ ...match, when: note });
  return arrivals;
}

/** The most of `times` (ascending, ms) that any second holds, wherever it begins. */
export function mostInASecond(times: readonly number[]): number {
  let most = 0;
  let first = 0;
  for (const [last, at] of times.entries()) {
    while (at - (times[first] ?? at) >= 1000) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}
