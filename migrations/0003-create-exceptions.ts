/** Creates the table of exceptions, one row for each object that could not go through. */

import { type MigrationInterface, type QueryRunner, Table } from "typeorm";
import { columnTypes } from "./column-types.ts";

export class CreateExceptions1790000000003 implements MigrationInterface {
  readonly name = "CreateExceptions1790000000003";

  async up(queryRunner: QueryRunner): Promise<void> {
    const { bytes, text, word } = columnTypes(queryRunner.connection.options.type);
    await queryRunner.createTable(
      new Table({
        name: "tranship_exceptions",
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
          { name: "seq", type: "integer" },
          { name: "position", type: "integer" },
          { name: "object_key", ...bytes },
          { name: "stage", ...word("12") },
          { name: "code", ...word("64") },
          { name: "message", ...text },
          { name: "happened_at", type: "bigint" },
        ],
        indices: [
          {
            name: "tranship_exceptions_object",
            columnNames: ["job_id", "seq", "position"],
            isUnique: true,
          },
          { name: "tranship_exceptions_page", columnNames: ["job_id", "id"] },
        ],
      }),
      true,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropTable("tranship_exceptions");
  }
}
