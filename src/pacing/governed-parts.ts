/** The dependencies of a governed store. */

import type { ObjectStore } from "../ports/object-store.ts";
import type { InFlight } from "./in-flight.ts";
import type { RequestLimiterParts } from "./rates/request-limiter.ts";
import type { StallDetector } from "./stall-detector.ts";

export interface GovernedParts extends RequestLimiterParts {
  readonly store: ObjectStore;
  /** Shared by the stores of one job. */
  readonly stalls: StallDetector;
  readonly inFlight?: InFlight;
  /** Called after all waiting, before each attempt at a copy, which it forbids by throwing; null allows it at once. */
  readonly confirmCopy?: (() => Promise<void> | null) | undefined;
  /** Called for each request that is sent. */
  readonly onRequest?: (() => void) | undefined;
  /** 0 to 1; `Math.random` unless given. */
  random?(): number;
}
