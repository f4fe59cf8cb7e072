/** When requests arrive at a sandbox store, and how many of them any second holds. */

import type { RequestMatch } from "../../src/sandbox-s3/faults/fault-rules.ts";
import type { S3Request } from "../../src/sandbox-s3/protocol/s3-request.ts";
import type { SandboxStore } from "../../src/sandbox-s3/sandbox-store.ts";

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

/** The most of `times` (ascending, ms), or of the units that came at each, that any second holds, wherever it begins. */
export function mostInASecond(times: readonly number[], unitsOf: (nth: number) => number = () => 1): number {
  let most = 0;
  let sum = 0;
  let first = 0;
  for (const [last, at] of times.entries()) {
    sum += unitsOf(last);
    for (; at - (times[first] ?? at) >= 1000; first += 1) sum -= unitsOf(first);
    most = Math.max(most, sum);
  }
  return most;
}

/** Longer stalls than what a limit makes up for are the machine's, not the limit's. */
const STALL_MS = 100;
const TICK_MS = 5;

/** How long this process was kept from running: by other processes, or by work of its own that took one turn. */
export interface Stalls {
  /** Milliseconds between two moments that nothing makes up for. */
  lostIn(from: number, to: number): number;
  longest(): number;
  end(): void;
}

export function noteStalls(): Stalls {
  const gaps: { readonly at: number; readonly ms: number }[] = [];
  let last = performance.now();
  const timer = setInterval(() => {
    const at = performance.now();
    gaps.push({ at, ms: at - last - TICK_MS });
    last = at;
  }, TICK_MS);
  return {
    lostIn: (from, to) =>
      gaps
        .filter(({ at, ms }) => at >= from && at < to && ms > STALL_MS)
        .reduce((sum, { ms }) => sum + ms - STALL_MS, 0),
    longest: () => Math.max(0, ...gaps.map(({ ms }) => ms)),
    end: () => clearInterval(timer),
  };
}
