/** Creates the table of consignments, and the column that tells which one a batch travels in. */

import { type MigrationInterface, type QueryRunner, Table, TableColumn } from "typeorm";
import { columnTypes } from "./column-types.ts";

export class CreateConsignments1790000000009 implements MigrationInterface {
  readonly name = "CreateConsignments1790000000009";

  async up(queryRunner: QueryRunner): Promise<void> {
    const { text, word } = columnTypes(queryRunner.connection.options.type);
    await queryRunner.createTable(
      new Table({
        name: "tranship_consignments",
        engine: "InnoDB",
        columns: [
          { name: "job_id", ...word("26"), isPrimary: true },
          { name: "id", type: "integer", isPrimary: true },
          { name: "token", ...word("64") },
          { name: "state", ...word("12") },
          { name: "objects", type: "integer" },
          { name: "not_after", type: "bigint", isNullable: true },
          { name: "progress", ...text, isNullable: true },
          { name: "created_at", type: "bigint" },
          { name: "ended_at", type: "bigint", isNullable: true },
        ],
      }),
      true,
    );
    // MariaDB and MySQL commit each step by itself: a run that was cut off before it was noted is repeated.
    if (await queryRunner.hasColumn("tranship_batches", "consignment")) return;
    await queryRunner.addColumn(
      "tranship_batches",
      new TableColumn({ name: "consignment", type: "integer", isNullable: true }),
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropColumn("tranship_batches", "consignment");
    await queryRunner.dropTable("tranship_consignments");
  }
}
