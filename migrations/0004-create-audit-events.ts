/** Creates the table of audit events: who did what to a job, and when. */

import { type MigrationInterface, type QueryRunner, Table } from "typeorm";
import { columnTypes } from "./column-types.ts";

export class CreateAuditEvents1790000000004 implements MigrationInterface {
  readonly name = "CreateAuditEvents1790000000004";

  async up(queryRunner: QueryRunner): Promise<void> {
    const { text, word } = columnTypes(queryRunner.connection.options.type);
    await queryRunner.createTable(
      new Table({
        name: "tranship_audit_events",
        engine: "InnoDB",
        columns: [
          {
            name: "id",
            type: "integer",
            isPrimary: true,
            isGenerated: true,
            generationStrategy: "increment",
          },
          { name: "job_id", ...word("26") },
          { name: "happened_at", type: "bigint" },
          { name: "actor", ...text },
          { name: "action", ...word("64") },
          { name: "detail", ...text },
        ],
        indices: [{ name: "tranship_audit_events_page", columnNames: ["job_id", "id"] }],
      }),
      true,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropTable("tranship_audit_events");
  }
}
