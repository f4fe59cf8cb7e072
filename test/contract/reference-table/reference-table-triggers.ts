/** Triggers that undo or alter what a rewrite does: no row counts as changed that does not hold its new value afterwards. */
import { expect, test } from "vitest";
import { specOf, type Workshop } from "./reference-table-workshop.ts";

const CHANGE = { from: "image/", to: "avatar/" };

/** Registers the tests on the workshop that is open by then. */
export function triggerTests(open: () => Workshop): void {
  let serial = 0;

  async function tableOf(paths: readonly string[], trigger: string) {
    serial += 1;
    const table = `triggered${serial}`;
    await open().createTable(table);
    await open().insert(
      table,
      paths.map((path, i) => ({ id: String(i + 1), path, legacy: 1, tenant: null })),
    );
    await open().createTrigger(table, trigger);
    return table;
  }

  const images = (table: string) => open().database.reference(specOf(table, { set: { legacy: 0 } }), {});

  test("a trigger that restores the value: the row does not count as changed, and its value fails", async () => {
    const table = await tableOf(
      ["image/a", "image/b", "image/b", "image/c"],
      "CASE WHEN OLD.id = 1 THEN NEW.path ELSE OLD.path END",
    );
    const { rows, failures } = await images(table).rewrite(["image/a", "image/b", "image/c"], CHANGE);
    expect(rows).toBe(1);
    expect(failures.map(({ value, code }) => [value, code]).sort()).toEqual([
      ["image/b", "row_not_updated"],
      ["image/c", "row_not_updated"],
    ]);
    for (const { message } of failures) expect(message).toMatch(/still holds the old value.*trigger/);
    expect((await open().rows(table)).map(({ path }) => path)).toEqual([
      "avatar/a",
      "image/b",
      "image/b",
      "image/c",
    ]);
  });

  test("a trigger that makes another value of it: the value fails too", async () => {
    const table = await tableOf(
      ["image/a", "image/b"],
      "CASE WHEN OLD.id = 1 THEN NEW.path ELSE 'other' END",
    );
    const { rows, failures } = await images(table).rewrite(["image/a", "image/b"], CHANGE);
    expect(rows).toBe(1);
    expect(failures.map(({ value, code }) => [value, code])).toEqual([["image/b", "row_not_updated"]]);
    expect(failures[0]?.message).toMatch(/neither the old nor the new value.*trigger/);
  });

  test("a trigger that leaves the value alone: all rows count", async () => {
    const table = await tableOf(["image/a", "image/b", "image/b"], "NEW.path");
    expect(await images(table).rewrite(["image/a", "image/b"], CHANGE)).toEqual({ rows: 3, failures: [] });
  });
}
