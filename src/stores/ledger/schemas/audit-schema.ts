/** The table of audit events as TypeORM sees it; property names are the column names. */

import { EntitySchema } from "typeorm";
import type { ColumnTypes } from "../../../../migrations/column-types.ts";
import { EXACT } from "../columns/exact-number.ts";

export interface AuditRow {
  id: number;
  job_id: string;
  happened_at: number;
  actor: string;
  action: string;
  detail: string;
}

export function auditSchema({ text, word }: ColumnTypes): EntitySchema<AuditRow> {
  return new EntitySchema<AuditRow>({
    name: "audit_event",
    tableName: "tranship_audit_events",
    columns: {
      id: { type: "integer", primary: true, generated: "increment" },
      job_id: word("26"),
      happened_at: { type: "bigint", transformer: EXACT },
      actor: text,
      action: word("64"),
      detail: text,
    },
    indices: [{ name: "tranship_audit_events_page", columns: ["job_id", "id"] }],
  });
}
