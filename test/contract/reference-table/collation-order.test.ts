/** Where the order of two strings is said to be known, the server orders them so: by each of its collations. */
import type { RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { asciiOrderOf, compare } from "../../../src/stores/sql/collation-order.ts";
import { canHold } from "../../../src/stores/sql/mariadb/mariadb-literals.ts";
import { setUpMariadb } from "./reference-table-mariadb-setting.ts";

const mariadb = setUpMariadb();

const ASCII = Array.from({ length: 0x7f - 0x20 }, (_, at) => String.fromCharCode(0x20 + at));
/** After these each two characters are compared: none, a letter, half of what some languages take for one, marks, an ending. */
const BEGINNINGS = ["", "a", "c", "l", "/", "é", "a\u0301", "image "];
const STRANGE = [...ASCII, "\t", "é", "\u0301", "ß", "æ", "·"];

/** All pairs of one more character, or none, behind the same beginning. */
function neighbours(): [string, string][] {
  const next = ["", ...ASCII];
  return BEGINNINGS.flatMap((beginning) =>
    next.flatMap((one, at) =>
      next.slice(at + 1).map((other): [string, string] => [beginning + one, beginning + other]),
    ),
  );
}

/** Pairs whose beginnings are mostly the same; from a fixed row of numbers (an LCG of 32 bits), so that a failure can be repeated. */
function pairs(count: number): [string, string][] {
  let seed = 7;
  const next = (below: number) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const some = (most: number) =>
    Array.from({ length: next(most + 1) }, () => STRANGE[next(STRANGE.length)]).join("");
  return Array.from({ length: count }, () => {
    const common = some(3);
    return [`${common}${some(3)}`, `${next(2) === 0 ? common : common.toUpperCase()}${some(3)}`];
  });
}

const PAIRS = [...neighbours(), ...pairs(4000)];
let collations: { charset: string; collation: string }[] = [];

beforeAll(async () => {
  await mariadb.admin.query(
    "CREATE TABLE pairs (n INT PRIMARY KEY, a VARCHAR(20) CHARACTER SET utf8mb4, b VARCHAR(20) CHARACTER SET utf8mb4)",
  );
  for (let at = 0; at < PAIRS.length; at += 10_000) {
    const some = PAIRS.slice(at, at + 10_000).map(([a, b], n) => [at + n, a, b]);
    await mariadb.admin.query("INSERT INTO pairs VALUES ?", [some]);
  }
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
      const [rows] = await mariadb.admin.query<RowDataPacket[]>({
        sql: `SELECT n, STRCMP(${as("a")}, ${as("b")}) FROM pairs`,
        rowsAsArray: true,
      });
      const wrong: unknown[] = [];
      let certain = 0;
      for (const [n, sign] of rows as unknown as [number, number][]) {
        const [a, b] = PAIRS[n] ?? ["", ""];
        const ours = compare(a, b, order);
        if (ours === null || !canHold(charset, a + b)) continue;
        certain += 1;
        if (Math.sign(ours) !== sign) wrong.push({ a, b, ours, sign });
      }
      expect({ collation, wrong }).toEqual({ collation, wrong: [] });
      expect(certain).toBeGreaterThan(5000);
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
