/** Where the order of two strings is said to be known, the server orders them so: by each of its collations. */
import type { RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { asciiOrderOf, compare } from "../../src/stores/sql/collation-order.ts";
import { canHold } from "../../src/stores/sql/mariadb-literals.ts";
import { setUpMariadb } from "./reference-table-mariadb-setting.ts";

const mariadb = setUpMariadb();

const CHARACTERS = [..."-./019aklnzAKLNZ_~ \t!é\u0301ßæ·"];

/** Pairs whose beginnings are mostly the same; numbers from a fixed row of them, so that a failure can be repeated. */
function pairs(count: number): [string, string][] {
  let seed = 7;
  const next = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * below);
  };
  const some = (most: number) =>
    Array.from({ length: next(most + 1) }, () => CHARACTERS[next(CHARACTERS.length)]).join("");
  return Array.from({ length: count }, () => {
    const common = some(3);
    return [`${common}${some(3)}`, `${next(2) === 0 ? common : common.toUpperCase()}${some(3)}`];
  });
}

const PAIRS = pairs(4000);
let collations: { charset: string; collation: string }[] = [];

beforeAll(async () => {
  await mariadb.admin.query(
    "CREATE TABLE pairs (n INT PRIMARY KEY, a VARCHAR(20) CHARACTER SET utf8mb4, b VARCHAR(20) CHARACTER SET utf8mb4)",
  );
  await mariadb.admin.query("INSERT INTO pairs VALUES ?", [PAIRS.map(([a, b], n) => [n, a, b])]);
  const [rows] = await mariadb.admin.query<RowDataPacket[]>(
    "SELECT CHARACTER_SET_NAME charset, FULL_COLLATION_NAME collation FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY",
  );
  collations = rows.map(({ charset, collation }) => ({ charset, collation }));
});
afterAll(() => mariadb.admin.query("DROP TABLE pairs"));

describe("the server's collations", () => {
  test("order every pair as we do, or we do not know", async () => {
    const known = collations.filter(
      (each) => asciiOrderOf(each) !== null && canHold(each.charset, "") === true,
    );
    for (const { charset, collation } of known) {
      const order = asciiOrderOf({ charset, collation }) ?? "exact";
      const as = (column: string) => `CONVERT(${column} USING ${charset}) COLLATE ${collation}`;
      const [rows] = await mariadb.admin.query<RowDataPacket[]>(
        `SELECT n, STRCMP(${as("a")}, ${as("b")}) sign FROM pairs`,
      );
      const wrong: unknown[] = [];
      let certain = 0;
      for (const { n, sign } of rows) {
        const [a, b] = PAIRS[n] ?? ["", ""];
        const ours = compare(a, b, order);
        if (ours === null || !canHold(charset, a + b)) continue;
        certain += 1;
        if (Math.sign(ours) !== sign) wrong.push({ a, b, ours, sign });
      }
      expect({ collation, wrong }).toEqual({ collation, wrong: [] });
      expect(certain).toBeGreaterThan(1000);
    }
    const names = known.map(({ collation }) => collation);
    for (const usual of [
      "utf8mb4_general_ci",
      "utf8mb4_unicode_ci",
      "utf8mb3_general_ci",
      "latin1_swedish_ci",
    ])
      expect(names).toContain(usual);
  });

  test("that belong to a language are left alone", () => {
    const known = collations.filter((each) => asciiOrderOf(each) !== null).map(({ collation }) => collation);
    const languages = /czech|danish|spanish|hungarian|turkish|swedish|slovak|croatian|german|polish/;
    expect(known.filter((name) => languages.test(name))).toEqual(
      expect.arrayContaining(["latin1_swedish_ci"]),
    );
    expect(known.filter((name) => languages.test(name) && !name.startsWith("latin1_swedish_"))).toEqual([]);
  });
});
