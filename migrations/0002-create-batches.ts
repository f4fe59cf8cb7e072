/** Creates the table of batches; numbers come before the blobs, so that sums are read without touching these. */

import { type MigrationInterface, type QueryRunner, Table, type TableColumnOptions } from "typeorm";
import { columnTypes } from "./column-types.ts";

export class CreateBatches1790000000002 implements MigrationInterface {
  readonly name = "CreateBatches1790000000002";

  async up(queryRunner: QueryRunner): Promise<void> {
    const { bytes, text, word } = columnTypes(queryRunner.connection.options.type);
    await queryRunner.createTable(
      new Table({
        name: "tranship_batches",
        engine: "InnoDB",
        columns: [
          { name: "job_id", ...word("26"), isPrimary: true },
          { name: "seq", type: "integer", isPrimary: true },
          { name: "state", ...word("12") },
          { name: "planned_under", type: "integer" },
          { name: "planned_at", type: "bigint" },
          { name: "planned", type: "integer" },
          { name: "copied", type: "integer" },
          { name: "verified", type: "integer" },
          { name: "updated", type: "integer" },
          { name: "moved", type: "integer" },
          { name: "skipped", type: "integer" },
          { name: "exceptions", type: "integer" },
          { name: "rows_updated", type: "integer" },
          { name: "bytes", type: "bigint" },
          { name: "bytes_copied", type: "bigint" },
          ...["copy", "verify", "update", "delete"].flatMap(stageColumns),
          { name: "worker", ...text, isNullable: true },
          { name: "plan_cursor", ...text, isNullable: true },
          { name: "first_key", ...bytes },
          { name: "last_key", ...bytes },
          { name: "outcomes", ...bytes, isNullable: true },
          { name: "fingerprints", ...bytes },
          { name: "objects", ...bytes },
        ],
        indices: [
          {
            name: "tranship_batches_open",
            columnNames: ["job_id", "state", "update_ended_at", "seq"],
          },
        ],
      }),
      true,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropTable("tranship_batches");
  }
}

function stageColumns(stage: string): TableColumnOptions[] {
  return [
    { name: `${stage}_started_at`, type: "bigint", isNullable: true },
    { name: `${stage}_ended_at`, type: "bigint", isNullable: true },
    { name: `${stage}_attempts`, type: "integer" },
  ];
}
