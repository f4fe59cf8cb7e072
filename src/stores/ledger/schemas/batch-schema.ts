/** The table of batches as TypeORM sees it; property names are the column names. */

import { EntitySchema } from "typeorm";
import type { ColumnTypes } from "../../../../migrations/column-types.ts";
import { EXACT } from "../columns/exact-number.ts";

export interface BatchRow {
  job_id: string;
  seq: number;
  state: string;
  planned_under: number;
  planned_at: number;
  planned: number;
  copied: number;
  verified: number;
  updated: number;
  moved: number;
  skipped: number;
  exceptions: number;
  rows_updated: number;
  bytes: number;
  bytes_copied: number;
  copy_started_at: number | null;
  copy_ended_at: number | null;
  copy_attempts: number;
  verify_started_at: number | null;
  verify_ended_at: number | null;
  verify_attempts: number;
  update_started_at: number | null;
  /** Also where the grace period begins. */
  update_ended_at: number | null;
  update_attempts: number;
  delete_started_at: number | null;
  delete_ended_at: number | null;
  delete_attempts: number;
  worker: string | null;
  /** A JSON string, which keeps every character; null for batches of retried objects. */
  plan_cursor: string | null;
  /** The least and the greatest key in byte order. */
  first_key: Buffer;
  last_key: Buffer;
  /** See outcome-encoding.ts; null while every object is as it was planned. */
  outcomes: Buffer | null;
  /** See key-fingerprints.ts. */
  fingerprints: Buffer;
  /** See batch-encoding.ts. */
  objects: Buffer;
  /** The consignment it travels or has travelled in; null: none. */
  consignment: number | null;
}

export function batchSchema({ bytes, text, word }: ColumnTypes): EntitySchema<BatchRow> {
  const count = { type: "integer" } as const;
  const big = { type: "bigint", transformer: EXACT } as const;
  return new EntitySchema<BatchRow>({
    name: "batch",
    tableName: "tranship_batches",
    columns: {
      job_id: { ...word("26"), primary: true },
      seq: { ...count, primary: true },
      state: word("12"),
      planned_under: count,
      planned_at: big,
      planned: count,
      copied: count,
      verified: count,
      updated: count,
      moved: count,
      skipped: count,
      exceptions: count,
      rows_updated: count,
      bytes: big,
      bytes_copied: big,
      copy_started_at: { ...big, nullable: true },
      copy_ended_at: { ...big, nullable: true },
      copy_attempts: count,
      verify_started_at: { ...big, nullable: true },
      verify_ended_at: { ...big, nullable: true },
      verify_attempts: count,
      update_started_at: { ...big, nullable: true },
      update_ended_at: { ...big, nullable: true },
      update_attempts: count,
      delete_started_at: { ...big, nullable: true },
      delete_ended_at: { ...big, nullable: true },
      delete_attempts: count,
      worker: { ...text, nullable: true },
      plan_cursor: { ...text, nullable: true },
      first_key: bytes,
      last_key: bytes,
      outcomes: { ...bytes, nullable: true },
      fingerprints: bytes,
      objects: bytes,
      consignment: { ...count, nullable: true },
    },
    indices: [{ name: "tranship_batches_open", columns: ["job_id", "state", "update_ended_at", "seq"] }],
  });
}
