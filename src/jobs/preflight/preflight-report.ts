/** `PreflightReport`: counts, costs and problems of a job before it runs. */

import type { EngineEstimate } from "../../domain/engines/engine-costs.ts";
import type { WriteProtection } from "../../ports/object-store.ts";

/** A problem that preflight has found. */
export interface PreflightProblem {
  /** `error`: the job would be refused or could not do its work; `warning`: it would run, but check this first. */
  readonly severity: "error" | "warning";
  /** Stable, e.g. `target_inside_source`. */
  readonly code: string;
  readonly message: string;
  /** A few keys, values or columns, where that helps. */
  readonly examples: readonly string[];
}

/** The report of `POST /jobs/preflight` and `tranship plan`. */
export interface PreflightReport {
  /** Whether no problem is an error. */
  readonly ok: boolean;
  /** Objects that inventory, filter and `maxObjects` select and the source has; missing ones are a problem. */
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
  /** US dollars with the job's engine at {@link prices}, S3 Standard, same Region. */
  readonly estimatedCostUsd: number;
  /** With the job's engine and limits; a lower bound. */
  readonly estimatedSeconds: number;
  readonly finishAt: string | null;
  /** Each engine that the store may have, the service first; empty where nothing was counted. */
  readonly engines: readonly EngineEstimate[];
  /** What `dollars` are counted with, for people. */
  readonly prices: string;
  /** What protects others' objects from being replaced or deleted; `unknown` until a canary or a job has shown it. */
  readonly protection: WriteProtection;
  readonly problems: readonly PreflightProblem[];
}
