/** What every reference table must do, whatever the database, the collation and the column's type. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasCode } from "../../../src/domain/errors.ts";
import type { ReferenceSpec } from "../../../src/domain/job-spec.ts";
import type { ReferencedRow } from "../../../src/ports/reference-table.ts";
import { duplicatesTests } from "./reference-table-duplicates.ts";
import { limiterTests } from "./reference-table-limiter.ts";
import { modelTest } from "./reference-table-model.ts";
import { prefixesTests } from "./reference-table-prefixes.ts";
import { startingTests } from "./reference-table-starting.ts";
import { triggerTests } from "./reference-table-triggers.ts";
import { HOSTILE, NAME, type StoredRow, specOf, type Workshop } from "./reference-table-workshop.ts";

export function describeReferenceTable(name: string, open: () => Promise<Workshop>): void {
  // Side by side, each test on tables of its own: most of the time is waiting for the server and its disk.
  describe.concurrent(name, () => {
    let workshop: Workshop;
    let serial = 0;
    beforeAll(async () => {
      workshop = await open();
    });
    afterAll(() => workshop.close());

    async function tableWith(rows: readonly Partial<StoredRow>[], options?: { unique?: boolean }) {
      serial += 1;
      const table = `t${serial}`;
      await workshop.createTable(table, options);
      await workshop.insert(
        table,
        rows.map((row, i) => ({ id: String(i + 1), path: "", legacy: 1, tenant: null, ...row })),
      );
      return table;
    }

    function reference(table: string, more: Partial<ReferenceSpec> = {}) {
      const statements: Record<string, number> = {};
      const opened = workshop.database.reference(specOf(table, more), statements);
      return { reference: opened, count: () => statements[NAME] ?? 0 };
    }

    const hostile = () => HOSTILE.map((tail) => `image/${tail}`).filter((value) => workshop.waits(value));

    test("findRows finds exactly the rows whose bytes are asked for", async () => {
      const values = hostile();
      const table = await tableWith(values.map((path) => ({ path })));
      const { reference: images } = reference(table);
      for (const [i, value] of values.entries()) {
        expect(await images.findRows([value])).toEqual([{ id: String(i + 1), value }]);
      }
      expect(await images.findRows(["image/absent", "image/\ud800"])).toEqual([]);
      const byId = (rows: readonly ReferencedRow[]) => [...rows].sort((a, b) => Number(a.id) - Number(b.id));
      const all = values.map((value, i) => ({ id: String(i + 1), value }));
      expect(byId(await images.findRows([...values, "image/absent", "image/\ud800"]))).toEqual(all);
    });

    test("rewrite changes exactly the row whose bytes are asked for, and only its first prefix", async () => {
      const values = hostile();
      const table = await tableWith(values.map((path) => ({ path })));
      const { reference: images } = reference(table);
      const expected = [...values];
      for (const [i, value] of values.entries()) {
        const result = await images.rewrite([value], {
          from: "image/",
          to: "avatar/\\%'e/",
        });
        expect(result).toEqual({ rows: 1, failures: [] });
        expected[i] = `avatar/\\%'e/${value.slice("image/".length)}`;
        expect((await workshop.rows(table)).map((row) => row.path)).toEqual(expected);
      }
    });

    test("page gives every row under a byte-exact prefix once, in key order, and ends", async () => {
      const rows = Array.from({ length: 250 }, (_, i) => ({
        path: `${["image/", "IMAGE/", "image_", "image", "images/", "x_%\\'/"][i % 6]}${i}`,
      }));
      const table = await tableWith(rows);
      const { reference: images } = reference(table);
      for (const prefix of ["image/", "x_%\\'/", "", "nothing/"]) {
        const wanted = rows
          .map(({ path }, i) => ({ id: String(i + 1), value: path }))
          .filter(({ value }) => value.startsWith(prefix));
        for (const limit of [1, 7, 250, 1000]) {
          const seen = [];
          let after: string | null = null;
          for (;;) {
            const page = await images.page(after, prefix, limit);
            seen.push(...page);
            if (page.length < limit) break;
            after = page.at(-1)!.id;
          }
          expect(seen).toEqual(wanted);
        }
      }
    });

    test("page honours where, null meaning IS NULL, text byte for byte", async () => {
      const tenants = ["acme", "ACME", "acme ", null, "5", "5abc", "0"];
      const table = await tableWith(tenants.map((tenant, i) => ({ path: `image/${i}`, tenant })));
      const idsWhere = async (where: ReferenceSpec["where"]) =>
        (await reference(table, { where }).reference.page(null, "image/", 100)).map(
          ({ id }) => Number(id) - 1,
        );
      expect(await idsWhere({ tenant: "acme" })).toEqual([0]);
      expect(await idsWhere({ tenant: null })).toEqual([3]);
      expect(await idsWhere({ tenant: 5 })).toEqual([4]);
      expect(await idsWhere({ tenant: "acme", legacy: 1 })).toEqual([0]);
      expect(await idsWhere({ tenant: "acme", legacy: true })).toEqual([0]);
      expect(await idsWhere({ legacy: "x" })).toEqual([]);
    });

    test("rewrite honours where and set; findRows ignores where", async () => {
      const table = await tableWith([
        { path: "image/a", tenant: "acme" },
        { path: "image/a", tenant: "ACME" },
        { path: "image/a", tenant: null },
        { path: "image/b", tenant: "acme" },
      ]);
      const { reference: images } = reference(table, {
        where: { tenant: "acme" },
        set: { legacy: 0, tenant: "o'\\%" },
      });
      expect(await images.rewrite(["image/a"], { from: "image/", to: "avatar/" })).toEqual({
        rows: 1,
        failures: [],
      });
      expect(await workshop.rows(table)).toEqual([
        { id: "1", path: "avatar/a", tenant: "o'\\%", legacy: 0 },
        { id: "2", path: "image/a", tenant: "ACME", legacy: 1 },
        { id: "3", path: "image/a", tenant: null, legacy: 1 },
        { id: "4", path: "image/b", tenant: "acme", legacy: 1 },
      ]);
      expect((await images.findRows(["image/a"])).map(({ id }) => id).sort()).toEqual(["2", "3"]);
    });

    test("a row that someone else changed is not touched", async () => {
      const table = await tableWith([{ path: "image/a" }, { path: "image/b" }]);
      const { reference: images } = reference(table);
      await workshop.run(`UPDATE ${table} SET path = 'image/B' WHERE id = 2`);
      expect(await images.rewrite(["image/a", "image/b"], { from: "image/", to: "avatar/" })).toEqual({
        rows: 1,
        failures: [],
      });
      expect((await workshop.rows(table)).map(({ path }) => path)).toEqual(["avatar/a", "image/B"]);
    });

    test("a value that turns into another of the list is changed once", async () => {
      const paths = ["a/x", "a/a/x", "a/a/a/x", "a/y"];
      const table = await tableWith(
        paths.map((path) => ({ path })),
        { unique: true },
      );
      const { reference: images } = reference(table);
      expect(await images.rewrite(paths, { from: "a/", to: "a/a/" })).toEqual({ rows: 4, failures: [] });
      expect((await workshop.rows(table)).map(({ path }) => path)).toEqual(paths.map((path) => `a/${path}`));
      const longer = paths.map((path) => `a/${path}`);
      expect((await images.rewrite(longer, { from: "a/a/", to: "a/" })).rows).toBe(4);
      expect((await workshop.rows(table)).map(({ path }) => path)).toEqual(paths);
    });

    test("only the value whose new one is taken fails, all others are changed", async () => {
      const paths = Array.from({ length: 60 }, (_, i) => `image/${i}`);
      const table = await tableWith(
        [...paths, "avatar/7", "avatar/33"].map((path) => ({ path })),
        { unique: true },
      );
      const { reference: images } = reference(table);
      const result = await images.rewrite(paths, { from: "image/", to: "avatar/" });
      expect(result.rows).toBe(58);
      expect(result.failures.map(({ value, code }) => [value, code]).sort()).toEqual([
        ["image/33", "row_conflict"],
        ["image/7", "row_conflict"],
      ]);
      const left = (await workshop.rows(table)).filter(({ path }) => path.startsWith("image/"));
      expect(left.map(({ path }) => path)).toEqual(["image/7", "image/33"]);
    });

    test("a thousand values are one statement each to page, name and look for, and two at most to rewrite", async () => {
      const paths = Array.from({ length: 1000 }, (_, i) => `image/${i}`);
      const table = await tableWith(paths.map((path) => ({ path })));
      const { reference: images, count } = reference(table);
      expect((await images.page(null, "image/", 1000)).length).toBe(1000);
      expect(count()).toBe(1);
      expect((await images.findRows(paths)).length).toBe(1000);
      expect(count()).toBe(2);
      const ids = Array.from({ length: 1200 }, (_, i) => String(i));
      expect((await images.existing(ids)).size).toBe(1000);
      expect(count()).toBe(3);
      expect((await images.rewrite(paths, { from: "image/", to: "avatar/" })).rows).toBe(1000);
      const sent = count();
      expect([4, 5]).toContain(sent);
      await images.inspect();
      expect(count()).toBe(sent);
    });

    test("existing knows exactly the ids there are, nonsense included", async () => {
      const table = await tableWith([{ path: "image/a" }, { path: "image/b" }]);
      const { reference: images } = reference(table);
      expect(await images.existing(["2", "3", "2 ", "02", "x", "1; DROP TABLE y", ""])).toEqual(
        new Set(["2"]),
      );
    });

    test("rows that do not match cost bounded windows, not an early end", async () => {
      const rows = Array.from({ length: 3000 }, (_, i) => ({
        path: i % 500 === 499 ? `image/${i}` : `other/${i}`,
      }));
      const table = await tableWith(rows);
      const { reference: images, count } = reference(table);
      expect((await images.page(null, "image/", 4)).length).toBe(4);
      expect((await images.page("2000", "image/", 4)).map(({ id }) => id)).toEqual(["2500", "3000"]);
      expect(count()).toBeLessThan(25);
    });

    test("inspect tells what preflight asks", async () => {
      const table = await tableWith([{ path: "image/a" }], { unique: true });
      const facts = await reference(table, { where: { nope: 1 }, set: { legacy: 0 } }).reference.inspect();
      expect(facts).toMatchObject({
        tableExists: true,
        missingColumns: ["nope"],
        keyIsUnique: true,
        columnIsIndexed: true,
        columnIsUnique: true,
        triggers: [],
        mayRewrite: true,
      });
      expect((await reference("absent").reference.inspect()).tableExists).toBe(false);
    });

    test("what is missing is named", async () => {
      const table = await tableWith([]);
      const named = async (images: ReturnType<typeof reference>, what: string) => {
        const error = await images.reference.findRows(["image/a"]).catch((thrown: unknown) => thrown);
        expect(hasCode(error, "database_refused")).toBe(true);
        expect(String(error)).toContain(what);
      };
      await named(reference("absent"), "absent");
      await named(reference(table, { column: "nowhere" }), "nowhere");
      await named(reference(table, { set: { nought: 1 } }), "nought");
    });

    test("names are quoted, names with NUL and a set of the column itself are refused", async () => {
      const odd = 'o`d"d; -- x';
      await workshop.createTable(odd);
      await workshop.insert(odd, [{ id: "1", path: "image/a", legacy: 1, tenant: null }]);
      expect(await reference(odd).reference.findRows(["image/a"])).toEqual([{ id: "1", value: "image/a" }]);
      expect(() => reference("a\0b")).toThrow(/NUL/);
      expect(() => reference("t", { set: { PATH: "x" } })).toThrow(/PATH/);
    });

    duplicatesTests(() => workshop);
    triggerTests(() => workshop);
    prefixesTests(() => workshop);
    limiterTests(() => workshop);
    startingTests(() => workshop);
    modelTest(() => workshop);
  });
}
