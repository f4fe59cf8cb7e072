/** Adds how many objects a job expects to plan, counted ahead of planning. */

import { type MigrationInterface, type QueryRunner, TableColumn } from "typeorm";
import { columnTypes } from "./column-types.ts";

export class AddExpected1790000000006 implements MigrationInterface {
  readonly name = "AddExpected1790000000006";

  async up(queryRunner: QueryRunner): Promise<void> {
    // MariaDB and MySQL commit the column by itself: a run that was cut off before it was noted is repeated.
    if (await queryRunner.hasColumn("tranship_jobs", "expected")) return;
    const { text } = columnTypes(queryRunner.connection.options.type);
    await queryRunner.addColumn(
      "tranship_jobs",
      new TableColumn({ name: "expected", ...text, isNullable: true }),
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropColumn("tranship_jobs", "expected");
  }
}
