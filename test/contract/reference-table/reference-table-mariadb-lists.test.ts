/** A list of values finds every row that holds one of them, whatever characters they have: one it missed would be lost. */
import { describe, expect, test } from "vitest";
import { setUpMariadb } from "./reference-table-mariadb-setting.ts";

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
  test("a list finds every row, each once", async () => {
    const table = `listed_${TYPES.indexOf(type)}`;
    await mariadb.create(table, `path ${type}, KEY (path)`);
    // Without those that its character set lacks.
    const insert = (value: string) =>
      mariadb.admin.query(`INSERT INTO ${table} (path) VALUES (?)`, [value]).then(
        () => [value],
        () => [],
      );
    const stored = (await Promise.all(VALUES.map(insert))).flat();
    const rows = await mariadb.reference(table).images.findRows(VALUES);
    // CHAR gives back no blanks at the end.
    const held = type.startsWith("CHAR") ? stored.map((value) => value.replace(/ +$/, "")) : stored;
    const expected = held.filter((value) => VALUES.includes(value));
    expect(rows.map(({ value }) => value).sort()).toEqual(expected.sort());
  });
});
