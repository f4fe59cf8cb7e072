/** The table of jobs as TypeORM sees it; property names are the column names. */

import { EntitySchema } from "typeorm";
import type { ColumnTypes } from "../../../../migrations/column-types.ts";
import { EXACT } from "../columns/exact-number.ts";

export interface JobRow {
  id: string;
  name: string;
  /** JSON. */
  spec: string;
  spec_digest: string;
  idempotency_digest: string | null;
  state: string;
  /** JSON. */
  waiting: string | null;
  reason: string | null;
  plan_done_at: number | null;
  version: number;
  fencing_token: number;
  lease_owner: string | null;
  lease_until: number | null;
  /** JSON. */
  requests: string;
  /** JSON. */
  statements: string;
  active_ms: number;
  approved_by: string | null;
  approved_at: number | null;
  created_at: number;
  updated_at: number;
  started_at: number | null;
  finished_at: number | null;
  windows_ignored_until: number | null;
  /** JSON. */
  expected: string | null;
  clock_lag_ms: number | null;
}

export function jobSchema({ text, word }: ColumnTypes): EntitySchema<JobRow> {
  const time = { type: "bigint", transformer: EXACT } as const;
  return new EntitySchema<JobRow>({
    name: "job",
    tableName: "tranship_jobs",
    columns: {
      id: { ...word("26"), primary: true },
      name: text,
      spec: text,
      spec_digest: word("64"),
      idempotency_digest: { ...word("64"), nullable: true },
      state: word("32"),
      waiting: { ...text, nullable: true },
      reason: { ...text, nullable: true },
      plan_done_at: { ...time, nullable: true },
      version: { type: "integer" },
      fencing_token: { type: "integer" },
      lease_owner: { ...text, nullable: true },
      lease_until: { ...time, nullable: true },
      requests: text,
      statements: text,
      active_ms: time,
      approved_by: { ...text, nullable: true },
      approved_at: { ...time, nullable: true },
      created_at: time,
      updated_at: time,
      started_at: { ...time, nullable: true },
      finished_at: { ...time, nullable: true },
      windows_ignored_until: { ...time, nullable: true },
      expected: { ...text, nullable: true },
      clock_lag_ms: { ...time, nullable: true },
    },
    indices: [{ name: "tranship_jobs_idempotency", columns: ["idempotency_digest"], unique: true }],
  });
}
