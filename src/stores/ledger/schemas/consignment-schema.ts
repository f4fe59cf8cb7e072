/** The table of consignments as TypeORM sees it; property names are the column names. */

import { EntitySchema } from "typeorm";
import type { ColumnTypes } from "../../../../migrations/column-types.ts";
import { EXACT } from "../columns/exact-number.ts";

export interface ConsignmentRow {
  job_id: string;
  /** 1, 2, … within the job. */
  id: number;
  token: string;
  state: string;
  objects: number;
  not_after: number | null;
  progress: string | null;
  created_at: number;
  ended_at: number | null;
}

export function consignmentSchema({ text, word }: ColumnTypes): EntitySchema<ConsignmentRow> {
  const big = { type: "bigint", transformer: EXACT } as const;
  return new EntitySchema<ConsignmentRow>({
    name: "consignment",
    tableName: "tranship_consignments",
    columns: {
      job_id: { ...word("26"), primary: true },
      id: { type: "integer", primary: true },
      token: word("64"),
      state: word("12"),
      objects: { type: "integer" },
      not_after: { ...big, nullable: true },
      progress: { ...text, nullable: true },
      created_at: big,
      ended_at: { ...big, nullable: true },
    },
  });
}
