/** Rows that hold one value: `page` gives the first by key of those that hold it exactly, within `where`. */
import { expect, test } from "vitest";
import type { ReferenceSpec } from "../../../src/domain/job-spec.ts";
import type { ReferencedRow } from "../../../src/ports/reference-table.ts";
import { HOSTILE, type StoredRow, specOf, type Workshop } from "./reference-table-workshop.ts";

/** Registers the tests on the workshop that is open by then. */
export function duplicatesTests(open: () => Workshop): void {
  let serial = 0;

  async function tableWith(rows: readonly Partial<StoredRow>[]): Promise<string> {
    serial += 1;
    const table = `twice${serial}`;
    await open().createTable(table);
    await open().insert(
      table,
      rows.map((row, i) => ({ id: String(i + 1), path: "", legacy: 1, tenant: null, ...row })),
    );
    return table;
  }

  /** Everything that pages of `limit` give, one after the other. */
  async function paged(table: string, limit: number, where: ReferenceSpec["where"] = {}) {
    const images = open().database.reference(specOf(table, { where }), {});
    const seen: ReferencedRow[] = [];
    for (let after: string | null = null; ; after = seen.at(-1)?.id ?? null) {
      const page = await images.page(after, "image/", limit);
      seen.push(...page);
      if (page.length < limit) return seen;
    }
  }

  test("rows that name one value are given once, the first, on whatever pages they stand", async () => {
    const paths = Array.from({ length: 200 }, (_, i) => `image/${(i * i) % 17}`);
    const table = await tableWith(paths.map((path) => ({ path })));
    const firsts = paths
      .map((value, i) => ({ id: String(i + 1), value }))
      .filter(({ value }, i) => paths.indexOf(value) === i);
    for (const limit of [1, 3, 8, 100]) expect(await paged(table, limit)).toEqual(firsts);
    const images = open().database.reference(specOf(table), {});
    const last = firsts.at(-1)?.id ?? "";
    expect(await images.page(last, "image/", 100)).toEqual([]);
    expect(await images.page(last, "", 100)).toEqual([]);
  });

  test("an earlier row outside where does not hide a later one inside", async () => {
    const tenants = ["other", "ACME", "acme ", null, "acme", "other", "acme", null, "acme"];
    const table = await tableWith(
      tenants.map((tenant, i) => ({ path: "image/a", tenant, legacy: i > 5 ? 0 : 1 })),
    );
    for (const limit of [1, 2, 100]) {
      const idsWhere = async (where: ReferenceSpec["where"]) =>
        (await paged(table, limit, where)).map(({ id }) => id);
      expect(await idsWhere({})).toEqual(["1"]);
      expect(await idsWhere({ tenant: "acme" })).toEqual(["5"]);
      expect(await idsWhere({ tenant: "acme", legacy: 0 })).toEqual(["7"]);
      expect(await idsWhere({ tenant: null })).toEqual(["4"]);
      expect(await idsWhere({ tenant: null, legacy: 0 })).toEqual(["8"]);
      expect(await idsWhere({ tenant: "absent" })).toEqual([]);
    }
  });

  test("values that only the collation takes for one another do not hide each other", async () => {
    const values = HOSTILE.map((tail) => `image/${tail}`).filter((value) => open().waits(value));
    // Each once more, the other way round: the first of the exact ones counts.
    const table = await tableWith([...values, ...values.toReversed()].map((path) => ({ path })));
    const firsts = values.map((value, i) => ({ id: String(i + 1), value }));
    for (const limit of [5, 100]) expect(await paged(table, limit)).toEqual(firsts);
  });
}
