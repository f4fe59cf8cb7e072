/** Opens the configured stores and databases by name; what a job may reach, and nothing else. */

import type { ReferenceSpec } from "../domain/job-spec.ts";
import type { DatabaseHealth } from "./database-health.ts";
import type { ObjectStore, RequestCounts } from "./object-store.ts";
import type { ReferenceTable } from "./reference-table.ts";

/** What the configuration allows all jobs on one store together; null is no limit. */
export interface ConfiguredStoreLimits {
  readonly requestsPerSecond: number | null;
  readonly bytesPerSecond: number | null;
}

export interface Connections {
  readonly storeNames: readonly string[];
  readonly databaseNames: readonly string[];
  /**
   * A store whose requests are counted into `counts`; throws `invalid_input` for an unknown name. `mayWrite` is asked at
   * the last moment before a copy or a deletion is sent, which fails as `store_unavailable` when it may not be.
   */
  store(name: string, counts: RequestCounts, mayWrite?: () => boolean): ObjectStore;
  /** Limits that all jobs on the store share; throws `invalid_input` for an unknown name. */
  storeLimits(name: string): ConfiguredStoreLimits;
  /** A reference's table; each statement adds one to `statements[database]`. Throws `invalid_input` for an unknown name. */
  reference(spec: ReferenceSpec, statements: Record<string, number>): ReferenceTable;
  /** How the database feels, its configured replicas included; rights that were missing are looked for again. Throws `invalid_input` for an unknown name. */
  health(database: string): DatabaseHealth;
  close(): Promise<void>;
}
