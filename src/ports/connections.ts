/** Opens the configured stores and databases by name; what a job may reach, and nothing else. */

import type { ReferenceSpec } from "../domain/job-spec.ts";
import type { DatabaseHealth } from "./database-health.ts";
import type { ObjectStore, RequestCounts } from "./object-store.ts";
import type { ReferenceTable } from "./reference-table.ts";

export interface Connections {
  readonly storeNames: readonly string[];
  readonly databaseNames: readonly string[];
  /** A store whose requests are counted into `counts`; throws `invalid_input` for an unknown name. */
  store(name: string, counts: RequestCounts): ObjectStore;
  /** A reference's table; each statement adds one to `statements[database]`. Throws `invalid_input` for an unknown name. */
  reference(spec: ReferenceSpec, statements: Record<string, number>): ReferenceTable;
  /** How the database feels, its configured replicas included. Throws `invalid_input` for an unknown name. */
  health(database: string): DatabaseHealth;
  close(): Promise<void>;
}
