/** Adds until when an operator lets a job work outside its windows. */

import { type MigrationInterface, type QueryRunner, TableColumn } from "typeorm";

export class AddWindowsIgnored1790000000005 implements MigrationInterface {
  readonly name = "AddWindowsIgnored1790000000005";

  async up(queryRunner: QueryRunner): Promise<void> {
    // MariaDB and MySQL commit the column by itself: a run that was cut off before it was noted is repeated.
    if (await queryRunner.hasColumn("tranship_jobs", "windows_ignored_until")) return;
    await queryRunner.addColumn(
      "tranship_jobs",
      new TableColumn({ name: "windows_ignored_until", type: "bigint", isNullable: true }),
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropColumn("tranship_jobs", "windows_ignored_until");
  }
}
