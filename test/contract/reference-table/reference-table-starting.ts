/** All rows whose value starts with a prefix, in one statement: exactly, and only where that stays a short one. */
import { expect, test } from "vitest";
import type { ReferenceSpec } from "../../../src/domain/job-spec.ts";
import { HOSTILE, NAME, type StoredRow, specOf, type Workshop } from "./reference-table-workshop.ts";

/** Registers the tests on the workshop that is open by then. */
export function startingTests(open: () => Workshop): void {
  let serial = 0;

  async function tableWith(rows: readonly Partial<StoredRow>[]): Promise<string> {
    serial += 1;
    const table = `starting${serial}`;
    await open().createTable(table);
    await open().insert(
      table,
      rows.map((row, i) => ({ id: String(i + 1), path: "", legacy: 1, tenant: null, ...row })),
    );
    return table;
  }

  /** The ids of what is found, in order, and the statements that took. */
  async function found(table: string, prefix: string, most: number, where: ReferenceSpec["where"] = {}) {
    const statements: Record<string, number> = {};
    const images = open().database.reference(specOf(table, { where }), statements);
    await images.existing(["1"]);
    const before = statements[NAME] ?? 0;
    const rows = await images.starting(prefix, most);
    const ids = rows?.map(({ id }) => Number(id)).sort((a, b) => a - b) ?? null;
    return { ids, rows, statements: (statements[NAME] ?? 0) - before };
  }

  test("starting gives every row under a byte-exact prefix, each of several with one value too", async () => {
    const tails = [...HOSTILE, ...HOSTILE];
    const starts = ["image/", "IMAGE/", "image_", "image", "images/", "x_%|\\'/", "ímage/", "image/a.png "];
    const paths = starts
      .flatMap((start) => tails.map((tail) => start + tail))
      .filter((path) => open().waits(path));
    const table = await tableWith(paths.map((path) => ({ path })));
    const prefixes = ["image/", "x_%|\\'/", "image/a.png ", "image/\ud800", "nothing/", "ímage/", "image/😀"];
    for (const prefix of prefixes) {
      const wanted = paths.flatMap((path, i) => (path.startsWith(prefix) ? [i + 1] : []));
      const { ids, rows, statements } = await found(table, prefix, 10_000);
      expect(ids, prefix).toEqual(wanted);
      for (const { id, value } of rows ?? []) expect(value).toBe(paths[Number(id) - 1]);
      expect(statements).toBeLessThanOrEqual(1);
    }
  });

  test("starting gives nothing at all where it would have to look at too many rows, whatever where says", async () => {
    const table = await tableWith(
      Array.from({ length: 40 }, (_, i) => ({ path: `image/${i}`, tenant: i < 2 ? "acme" : "other" })),
    );
    expect((await found(table, "image/", 41)).ids).toHaveLength(40);
    expect((await found(table, "image/", 40)).ids).toBeNull();
    expect((await found(table, "image/", 41, { tenant: "acme" })).ids).toEqual([1, 2]);
    expect((await found(table, "image/", 40, { tenant: "acme" })).ids).toBeNull();
    expect((await found(table, "image/3", 41)).ids).toHaveLength(11);
  });
}
