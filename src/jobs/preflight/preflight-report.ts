/** What preflight found out: numbers, costs and problems. */

import type { WriteProtection } from "../../ports/object-store.ts";

export interface Problem {
  /** `error`: the job would be refused or would lose its way; `warning`: it would run, but look first. */
  readonly severity: "error" | "warning";
  /** Stable, e.g. `target_inside_source`. */
  readonly code: string;
  readonly message: string;
  /** A few keys, values or columns, where that helps. */
  readonly examples: readonly string[];
}

export interface PreflightReport {
  /** Whether no problem is an error. */
  readonly ok: boolean;
  /** What the inventory, the filter and `maxObjects` select and the source has; missing objects are a problem. */
  readonly objects: number;
  readonly bytes: number;
  /** Rough number of rows in each reference's table, by `database.table.column`; null where the database does not know. */
  readonly rows: Readonly<Record<string, number | null>>;
  readonly requests: {
    readonly list: number;
    readonly copy: number;
    readonly head: number;
    readonly delete: number;
  };
  /** US dollars at AWS list prices, us-east-1, S3 Standard, same region. */
  readonly estimatedCostUsd: number;
  /** At the job's limits; a lower bound. */
  readonly estimatedSeconds: number;
  readonly finishAt: string | null;
  /** What keeps others' objects from being replaced or deleted; `unknown` until a canary or a job has shown it. */
  readonly protection: WriteProtection;
  readonly problems: readonly Problem[];
}
