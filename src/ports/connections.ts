/** Connections to the configured stores and databases, by name; a job can reach no others. */

import type { AwsStore } from "../domain/engines/aws-settings.ts";
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
   * A store whose requests are counted into `counts`; throws `invalid_input` for an unknown name. `mayWrite` is called
   * immediately before a copy or a deletion is sent; when it is false the request fails with `store_unavailable`.
   */
  store(name: string, counts: RequestCounts, mayWrite?: () => boolean): ObjectStore;
  /** Limits that all jobs on the store share; throws `invalid_input` for an unknown name. */
  storeLimits(name: string): ConfiguredStoreLimits;
  /** The store as engines on AWS see it; throws `invalid_input` for an unknown name. */
  awsOf(name: string): AwsStore;
  /** A reference's table; each statement adds one to `statements[database]`. Throws `invalid_input` for an unknown name. */
  reference(spec: ReferenceSpec, statements: Record<string, number>): ReferenceTable;
  /**
   * The health of the database, its configured replicas included; rights that were missing are checked again. Throws
   * `invalid_input` for an unknown name.
   */
  health(database: string): DatabaseHealth;
  close(): Promise<void>;
}
