/** The ledger's tables, described for one kind of database. */

import type { EntitySchema } from "typeorm";
import { columnTypes } from "../../../../migrations/column-types.ts";
import { type AuditRow, auditSchema } from "./audit-schema.ts";
import { type BatchRow, batchSchema } from "./batch-schema.ts";
import { type ConsignmentRow, consignmentSchema } from "./consignment-schema.ts";
import { type ExceptionRow, exceptionSchema } from "./exception-schema.ts";
import { type JobRow, jobSchema } from "./job-schema.ts";
import { type StoreSharesRow, storeSharesSchema } from "./store-shares-schema.ts";

export interface LedgerTables {
  readonly jobs: EntitySchema<JobRow>;
  readonly batches: EntitySchema<BatchRow>;
  readonly exceptions: EntitySchema<ExceptionRow>;
  readonly auditEvents: EntitySchema<AuditRow>;
  readonly consignments: EntitySchema<ConsignmentRow>;
  readonly storeShares: EntitySchema<StoreSharesRow>;
}

/** The tables for a TypeORM data source of type `dialect`. */
export function ledgerTables(dialect: string): LedgerTables {
  const types = columnTypes(dialect);
  return {
    jobs: jobSchema(types),
    batches: batchSchema(types),
    exceptions: exceptionSchema(types),
    auditEvents: auditSchema(types),
    consignments: consignmentSchema(types),
    storeShares: storeSharesSchema(types),
  };
}
