/** Which form a look-up of many values takes: joined only where that is sure to be by the index, and nothing is lost. */

import { describe, expect, it, test } from "vitest";
import { joinsLists, type TableShape } from "../../../src/stores/sql/mariadb/mariadb-facts.ts";
import { findRowsSql, lookUpLists } from "../../../src/stores/sql/mariadb/mariadb-lookup.ts";
import { planStatements } from "../../../src/stores/sql/mariadb/mariadb-statements.ts";

test.each([
  ["10.11.19-MariaDB-0+deb12u1", true],
  ["10.6.0-MariaDB", true],
  ["11.4.2-MariaDB-log", true],
  ["5.5.5-10.6.1-MariaDB", false],
  ["10.5.27-MariaDB", false],
  ["10.4.1-MariaDB", false],
  ["8.0.36", false],
  ["9.1.0-commercial", false],
  ["12.0.1", false],
  ["undefined", false],
])("a server of version %s joins lists: %s", (version, joins) => {
  expect(joinsLists(version)).toBe(joins);
});

const COLUMN = { length: 500, updatesItself: false };
const SHAPE: TableShape = {
  exists: true,
  columns: new Map([
    ["id", { name: "id", dataType: "int", columnType: "int(11)", charset: null, collation: null, ...COLUMN }],
    [
      "path",
      {
        name: "path",
        dataType: "varchar",
        columnType: "varchar(500)",
        charset: "latin1",
        collation: "latin1_swedish_ci",
        ...COLUMN,
      },
    ],
  ]),
  indexes: [
    {
      name: "by_path",
      unique: false,
      columns: [{ name: "path", prefix: null, nullable: false }],
      usable: true,
    },
  ],
  triggers: [],
  estimatedRows: 10,
  joinsLists: true,
};
const SPEC = {
  database: "app",
  table: "images",
  key: "id",
  column: "path",
  urlPrefix: null,
  where: {},
  set: {},
  keepUpdatedAt: true,
};

describe("a look-up", () => {
  const sqlOf = (values: readonly string[], shape = SHAPE, hints = true) =>
    findRowsSql(planStatements(SPEC, shape, hints), values, "anywhere", 9);
  const JOINED = /JSON_TABLE\(.* STRAIGHT_JOIN `images` r FORCE INDEX \(`by_path`\) ON r.`path` = j.v /;
  const PLAIN = /`path` IN \(/;

  it("is joined by the column's own index, in its own character set, and says when it cannot read a value", () => {
    const sql = sqlOf(["image/a", "image/bé"]);
    expect(sql).toMatch(JOINED);
    expect(sql).toContain("v VARCHAR(8) CHARACTER SET latin1 COLLATE latin1_swedish_ci PATH '$'");
    // NULL in its place would name no row, and its object would be deleted.
    expect(sql).toContain("ERROR ON EMPTY ERROR ON ERROR");
  });

  it("has lists of its own for what JSON escapes, and no list with more than it may have", () => {
    const odd = ['"', "b\\", "\t"];
    const plain = ["'".repeat(9), "\x7f\u2028", "plain", "é".repeat(9), "%_\u{1f600}"];
    const lists = (items: number, bytes: number, shape = SHAPE) =>
      lookUpLists(planStatements(SPEC, shape, true), [...odd, ...plain, "plain"], items, bytes);
    expect(lists(9, 1000)).toEqual([plain, odd]);
    expect(lists(9, 1000, { ...SHAPE, joinsLists: false })).toEqual([[...odd, ...plain]]);
    expect(lists(2, 1000).map(({ length }) => length)).toEqual([2, 2, 1, 2, 1]);
    const frame = sqlOf(["a", "b"]).length;
    for (const list of lists(9, 30)) {
      // A value that is too long by itself has a list of its own.
      if (list.length > 1) expect(Buffer.byteLength(sqlOf(list))).toBeLessThanOrEqual(frame + 30);
    }
  });

  it.each([
    ["a single value", sqlOf(["image/a"])],
    ["a server that cannot join lists", sqlOf(["a", "b"], { ...SHAPE, joinsLists: false })],
    ["a value that JSON escapes: a quote", sqlOf(["a", 'b"'])],
    ["a value that JSON escapes: a backslash", sqlOf(["a", "b\\"])],
    ["a value that JSON escapes: a control character", sqlOf(["a", "b\t"])],
    ["a column without an index", sqlOf(["a", "b"], { ...SHAPE, indexes: [] })],
    ["an index that has gone since", sqlOf(["a", "b"], SHAPE, false)],
    ["values longer than a row can hold", sqlOf(["a", "b".repeat(16_001)])],
    [
      "a list that would not fit in the server's memory",
      sqlOf(["b".repeat(1000), ...Array.from({ length: 2000 }, String)]),
    ],
  ])("is a plain list for %s", (_, sql) => {
    expect(sql).toMatch(PLAIN);
    expect(sql).not.toContain("JSON_TABLE");
  });
});
