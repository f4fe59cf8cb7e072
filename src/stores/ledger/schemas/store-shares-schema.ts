/** The table of store shares as TypeORM sees it; property names are the column names. */

import { EntitySchema } from "typeorm";
import type { ColumnTypes } from "../../../../migrations/column-types.ts";

export interface StoreSharesRow {
  /** Of the limit. */
  name: string;
  version: number;
  /** JSON: the entry of each process. */
  shares: string;
}

export function storeSharesSchema({ text, word }: ColumnTypes): EntitySchema<StoreSharesRow> {
  return new EntitySchema<StoreSharesRow>({
    name: "store_shares",
    tableName: "tranship_store_shares",
    columns: {
      name: { ...word("255"), primary: true },
      version: { type: "integer" },
      shares: text,
    },
  });
}
