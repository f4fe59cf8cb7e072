/** Creates the table of jobs. */

import { type MigrationInterface, type QueryRunner, Table } from "typeorm";
import { columnTypes } from "./column-types.ts";

export class CreateJobs1790000000001 implements MigrationInterface {
  readonly name = "CreateJobs1790000000001";

  async up(queryRunner: QueryRunner): Promise<void> {
    const { text, word } = columnTypes(queryRunner.connection.options.type);
    await queryRunner.createTable(
      new Table({
        name: "tranship_jobs",
        engine: "InnoDB",
        columns: [
          { name: "id", ...word("26"), isPrimary: true },
          { name: "name", ...text },
          { name: "spec", ...text },
          { name: "spec_digest", ...word("64") },
          { name: "idempotency_digest", ...word("64"), isNullable: true },
          { name: "state", ...word("32") },
          { name: "waiting", ...text, isNullable: true },
          { name: "reason", ...text, isNullable: true },
          { name: "plan_done_at", type: "bigint", isNullable: true },
          { name: "version", type: "integer" },
          { name: "fencing_token", type: "integer" },
          { name: "lease_owner", ...text, isNullable: true },
          { name: "lease_until", type: "bigint", isNullable: true },
          { name: "requests", ...text },
          { name: "statements", ...text },
          { name: "active_ms", type: "bigint" },
          { name: "approved_by", ...text, isNullable: true },
          { name: "approved_at", type: "bigint", isNullable: true },
          { name: "created_at", type: "bigint" },
          { name: "updated_at", type: "bigint" },
          { name: "started_at", type: "bigint", isNullable: true },
          { name: "finished_at", type: "bigint", isNullable: true },
        ],
        indices: [{ name: "tranship_jobs_idempotency", columnNames: ["idempotency_digest"], isUnique: true }],
      }),
      true,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropTable("tranship_jobs");
  }
}
