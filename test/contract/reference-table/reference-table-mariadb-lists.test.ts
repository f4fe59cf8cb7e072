/** A joined list of values finds the rows that a plain one finds, whatever characters they have: one it missed would be lost. */
import { describe, expect, test } from "vitest";
import { openDatabase } from "../../../src/stores/sql/open-database.ts";
import { setUpMariadb } from "./reference-table-mariadb-setting.ts";
import { NAME, specOf } from "./reference-table-workshop.ts";

const mariadb = setUpMariadb();

/** Every character up to U+02FF, and what is odd in JSON, SQL or a collation. */
const VALUES: readonly string[] = [
  ...Array.from({ length: 0x300 }, (_, unit) => `p${String.fromCharCode(unit)}q`),
  ...["a", "A", "a ", "ä", "é", "e\u0301", "ß", "ss", "ﬀ", "€", "\u{1f600}", "\ufeffbom", "x\u2028y"],
  ...["\0", "end\0", "tab\t ", "\\u0041", "q\"'\\\\n", '"', "null", "[]"],
];

const TYPES = [
  "VARCHAR(50) CHARACTER SET utf8mb4",
  "VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
  "CHAR(50) CHARACTER SET utf8mb4",
  ...["latin1", "ascii", "ucs2", "utf16", "utf32"].map((charset) => `VARCHAR(50) CHARACTER SET ${charset}`),
];

describe.each(TYPES)("in a column %s", (type) => {
  test("both lists find the same rows", async () => {
    const table = `listed_${TYPES.indexOf(type)}`;
    await mariadb.create(table, `path ${type}, KEY (path)`);
    // Without those that its character set lacks.
    const stored = VALUES.map((value) =>
      mariadb.admin.query(`INSERT INTO ${table} (path) VALUES (?)`, [value]).then(
        () => 1,
        () => 0,
      ),
    );
    const rows = (await Promise.all(stored)).reduce<number>((sum, one) => sum + one, 0);
    const found = async (plainLists: boolean) => {
      const database = openDatabase(NAME, mariadb.own.url, { plainLists });
      const seen = await database.reference(specOf(table), {}).findRows(VALUES);
      await database.close();
      return seen.map(({ id, value }) => `${id} ${value}`).sort();
    };
    const joined = await found(false);
    expect(joined).toEqual(await found(true));
    // CHAR gives back no blanks at the end.
    expect(joined.length).toBeGreaterThanOrEqual(rows - 1);
  });
});
