/** Random tables and rewrites, compared with a model that knows nothing but exact strings. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ReferenceSpec } from "../../../src/domain/job-spec.ts";
import { HOSTILE, type StoredRow, specOf, type Workshop } from "./reference-table-workshop.ts";

/** Registers the test on the workshop that is open by then. */
export function modelTest(open: () => Workshop): void {
  test("any strings: the table ends as a model of exact strings says", async () => {
    const workshop = open();
    const table = "model";
    await workshop.createTable(table);
    const piece = fc.oneof(
      fc.constantFrom(...HOSTILE),
      fc.string({ unit: "binary", maxLength: 6 }),
      fc.constantFrom("a", "A", " ", "\\", "'", "%", "_"),
    );
    const tail = fc.array(piece, { maxLength: 4 }).map((parts) => parts.join(""));
    // Now and then one of a few values, so that rows share one exactly, or only by collation.
    const value = fc
      .oneof(tail, fc.constantFrom("a", "A", "a ", "á"))
      .map((text) => `p_%/${text}`)
      .filter((text) => workshop.waits(text));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ path: value, legacy: fc.constantFrom(0, 1, null) }), {
          minLength: 1,
          maxLength: 12,
        }),
        fc.array(value, { maxLength: 6 }),
        fc.constantFrom("", "q/", "p_%/", "p_%/deeper/", "P_%/"),
        fc.constantFrom<ReferenceSpec["where"]>({}, { legacy: 1 }, { legacy: null }),
        async (rows, others, to, where) => {
          await workshop.run(`DELETE FROM ${table}`);
          const stored = rows.map((row, i) => ({ id: String(i + 1), tenant: null, ...row }));
          await workshop.insert(table, stored);
          const chosen = [...rows.filter((_, i) => i % 2 === 0).map(({ path }) => path), ...others];
          const images = workshop.database.reference(specOf(table, { where }), {});
          const matches = ({ legacy }: StoredRow) => !("legacy" in where) || where.legacy === legacy;
          // Of several rows that match and hold one exact value, the first.
          const firsts = stored
            .filter(matches)
            .filter(({ path }, i, matching) => matching.findIndex((row) => row.path === path) === i)
            .map(({ id, path }) => ({ id, value: path }));
          expect(await images.page(null, "p_%/", 100)).toEqual(firsts);
          const middle = String(rows.length >> 1);
          expect(await images.page(middle, "p_%/", 100)).toEqual(
            firsts.filter(({ id }) => Number(id) > Number(middle)),
          );
          const result = await images.rewrite(chosen, { from: "p_%/", to });
          const changes = (row: StoredRow) => chosen.includes(row.path) && matches(row);
          expect(result).toEqual({ rows: stored.filter(changes).length, failures: [] });
          expect(await workshop.rows(table)).toEqual(
            stored.map((row) => (changes(row) ? { ...row, path: to + row.path.slice(4) } : row)),
          );
        },
      ),
      { numRuns: 40 },
    );
  });
}
