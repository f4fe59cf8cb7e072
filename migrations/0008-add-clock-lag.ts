/** Adds what a job's own time lags behind the wall clock, because the clock was set forward while it ran. */

import { type MigrationInterface, type QueryRunner, TableColumn } from "typeorm";

export class AddClockLag1790000000008 implements MigrationInterface {
  readonly name = "AddClockLag1790000000008";

  async up(queryRunner: QueryRunner): Promise<void> {
    // MariaDB and MySQL commit the column by itself: a run that was cut off before it was noted is repeated.
    if (await queryRunner.hasColumn("tranship_jobs", "clock_lag_ms")) return;
    await queryRunner.addColumn(
      "tranship_jobs",
      new TableColumn({ name: "clock_lag_ms", type: "bigint", isNullable: true }),
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropColumn("tranship_jobs", "clock_lag_ms");
  }
}
