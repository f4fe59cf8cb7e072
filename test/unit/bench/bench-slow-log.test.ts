/** The benchmark reads the times of the statements that Tranship sends, reads and rewrites told apart. */

import { expect, it } from "vitest";
import { readSlowLog } from "../../../bench/worlds/slow-log.ts";
import type { ReferenceSpec } from "../../../src/domain/job-spec.ts";
import { findRowsSql } from "../../../src/stores/sql/mariadb/mariadb-lookup.ts";
import { type Plan, rewriteSql } from "../../../src/stores/sql/mariadb/mariadb-statements.ts";

const PLAN = {
  spec: {} as ReferenceSpec,
  table: "`images`",
  key: "r.`id`",
  keyType: { asText: (column: string) => column },
  column: "r.`path`",
  byColumn: " FORCE INDEX (`path`)",
  facts: { charset: "utf8mb4", collation: "utf8mb4_general_ci" },
  where: "",
  assignments: "",
} as unknown as Plan;
const CHANGE = { from: "image/", to: "avatar/" };

const entry = (sql: string, seconds: string) =>
  `# Time: 261127 12:00:00\n# User@Host: app[app] @ localhost [127.0.0.1]\n` +
  `# Query_time: ${seconds}  Lock_time: 0.000010  Rows_sent: 0  Rows_examined: 500\n` +
  `SET timestamp=1790000000;\n${sql};\n`;

it.each([
  ["a rewrite", rewriteSql(PLAN, ["image/a"], CHANGE, 1000), "rewrite"],
  ["a look-up", findRowsSql(PLAN, ["image/a", "image/b"], "anywhere", 1000), "read"],
])("%s", (_, sql, kind) => {
  const log = entry("SELECT 1", "0.000100") + entry(sql, "0.012345");
  expect(readSlowLog(log)).toEqual([{ kind, milliseconds: 12.345 }]);
});
