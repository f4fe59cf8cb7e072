/** The table of exceptions as TypeORM sees it; property names are the column names. */

import { EntitySchema } from "typeorm";
import type { ColumnTypes } from "../../../../migrations/column-types.ts";
import { EXACT } from "../columns/exact-number.ts";

export interface ExceptionRow {
  id: number;
  job_id: string;
  seq: number;
  /** Index of the object in its batch. */
  position: number;
  object_key: Buffer;
  stage: string;
  code: string;
  message: string;
  happened_at: number;
}

export function exceptionSchema({ bytes, text, word }: ColumnTypes): EntitySchema<ExceptionRow> {
  return new EntitySchema<ExceptionRow>({
    name: "exception",
    tableName: "tranship_exceptions",
    columns: {
      id: { type: "integer", primary: true, generated: "increment" },
      job_id: word("26"),
      seq: { type: "integer" },
      position: { type: "integer" },
      object_key: bytes,
      stage: word("12"),
      code: word("64"),
      message: text,
      happened_at: { type: "bigint", transformer: EXACT },
    },
    indices: [
      { name: "tranship_exceptions_object", columns: ["job_id", "seq", "position"], unique: true },
      { name: "tranship_exceptions_page", columns: ["job_id", "id"] },
    ],
  });
}
