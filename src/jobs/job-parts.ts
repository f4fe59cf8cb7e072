/** What everything that works on jobs in this process shares. */

import type { LocalCalendar } from "../domain/windows/local-calendar.ts";
import type { Concurrency } from "../pacing/concurrency.ts";
import type { Clock } from "../ports/clock.ts";
import type { Connections } from "../ports/connections.ts";
import type { CopyEngine } from "../ports/copy-engine.ts";
import type { Ledger } from "../ports/ledger.ts";
import type { ManifestReader } from "../ports/manifest-reader.ts";
import type { ObjectStore, RequestCounts } from "../ports/object-store.ts";
import type { BucketGovernors } from "./run/bucket-governors.ts";

export interface JobParts {
  readonly clock: Clock;
  readonly calendar: LocalCalendar;
  /** A crashed owner of a job is replaced after this long. */
  readonly leaseMs: number;
  readonly ledger: Ledger;
  readonly connections: Connections;
  readonly governors: BucketGovernors;
  /** Who makes the copies of a job: through `store`, which keeps to its limits, with `concurrency` requests at once. */
  copyEngine(store: ObjectStore, concurrency: Concurrency): CopyEngine;
  /** Reads manifests out of a store. */
  manifestReader(store: ObjectStore): ManifestReader;
}

export interface Counters {
  readonly requests: RequestCounts;
  readonly statements: Record<string, number>;
}
