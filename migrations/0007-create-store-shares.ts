/** Creates the table in which instances agree on how to divide the limits of stores. */

import { type MigrationInterface, type QueryRunner, Table } from "typeorm";
import { columnTypes } from "./column-types.ts";

export class CreateStoreShares1790000000007 implements MigrationInterface {
  readonly name = "CreateStoreShares1790000000007";

  async up(queryRunner: QueryRunner): Promise<void> {
    const { text, word } = columnTypes(queryRunner.connection.options.type);
    await queryRunner.createTable(
      new Table({
        name: "tranship_store_shares",
        engine: "InnoDB",
        columns: [
          { name: "name", ...word("255"), isPrimary: true },
          { name: "version", type: "integer" },
          { name: "shares", ...text },
        ],
      }),
      true,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropTable("tranship_store_shares");
  }
}
