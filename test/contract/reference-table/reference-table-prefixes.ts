/** Rows by what their values begin with: exactly those, beside the rows of exact values, in few statements. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { isSurelyFound } from "../../../src/ports/reference-table.ts";
import { HOSTILE, NAME, specOf, type Workshop } from "./reference-table-workshop.ts";

/** Registers the tests on the workshop that is open by then. */
export function prefixesTests(open: () => Workshop): void {
  let serial = 0;

  async function tableOf(paths: readonly string[]) {
    serial += 1;
    const table = `begun${serial}`;
    await open().createTable(table);
    await open().insert(
      table,
      paths.map((path, i) => ({ id: String(i + 1), path, legacy: 1, tenant: null })),
    );
    const statements: Record<string, number> = {};
    const images = open().database.reference(specOf(table, { where: { tenant: "x" } }), statements);
    const ask = async (
      values: readonly string[],
      prefixes: readonly string[],
      samples: readonly string[] = [],
    ) => new Set((await images.matching({ values, prefixes, samples })).map(({ value }) => value));
    return { images, ask, count: () => statements[NAME] ?? 0 };
  }

  const hostile = () => HOSTILE.map((tail) => `image/${tail}`).filter((value) => open().waits(value));

  test("of values that collations and patterns take for one another, each finds its own", async () => {
    const ends = ["?v=2", "#top", "?", "", "x", " "];
    const paths = hostile().flatMap((value) => ends.map((end) => value + end));
    const { ask } = await tableOf(paths);
    for (const value of hostile()) {
      for (const prefix of [value, `${value}?`, `${value}#`]) {
        const begun = paths.filter((path) => path.startsWith(prefix));
        const found = await ask([], [prefix]);
        expect(begun).toEqual(expect.arrayContaining([...found]));
        const sure = begun.filter((path) => isSurelyFound(path.slice(prefix.length)));
        expect([...found]).toEqual(expect.arrayContaining(sure));
      }
      const exact = new Set([value, ...paths.filter((path) => path.startsWith(`${value}#`))]);
      expect(await ask([value], [`${value}#`])).toEqual(exact);
    }
    const every = hostile().flatMap((value) => [`${value}?`, `${value}#`]);
    expect(await ask([], every)).toEqual(
      new Set(paths.filter((path) => every.some((prefix) => path.startsWith(prefix)))),
    );
  });

  test("samples give one row at least of each prefix that rows have, and none of another", async () => {
    const { ask } = await tableOf(["image%2Fa", "image%2Fb", "IMAGE%2fc", "image/a", "other"]);
    const found = await ask(["image/a"], [], ["image%2F", "image%2f", "im_ge%2"]);
    expect(found.delete("image/a")).toBe(true);
    expect([["image%2Fa"], ["image%2Fb"]]).toContainEqual([...found]);
    expect(await ask([], [], ["image%2f", "nothing"])).toEqual(new Set());
    expect(await ask([], [])).toEqual(new Set());
  });

  test("a thousand values and what follows them are one statement, where nothing is sampled too", async () => {
    const paths = Array.from({ length: 1000 }, (_, i) => `image/${i}.png${i % 100 === 0 ? "?v=2" : ""}`);
    const { images, count } = await tableOf(paths);
    const values = Array.from({ length: 1000 }, (_, i) => `image/${i}.png`);
    const prefixes = values.flatMap((value) => [`${value}?`, `${value}#`]);
    await images.findRows(["x"]);
    const before = count();
    const rows = await images.matching({ values, prefixes, samples: ["image%2F", "image%2f"] });
    expect(new Set(rows.map(({ value }) => value))).toEqual(new Set(paths));
    // SQLite has no need to save statements.
    expect(count() - before).toBeLessThanOrEqual(open().database.kind === "mariadb" ? 1 : 4);
  });

  test("any strings: found is what a model of exact strings says", async () => {
    const table = `begun_model`;
    await open().createTable(table);
    const piece = fc.oneof(
      fc.constantFrom(...HOSTILE),
      fc.string({ unit: "binary", maxLength: 4 }),
      fc.constantFrom("?", "#", "a", "A", " ", "\\", "%", "_"),
    );
    const value = fc
      .array(piece, { maxLength: 4 })
      .map((parts) => `u/${parts.join("")}`)
      .filter((text) => open().waits(text));
    await fc.assert(
      fc.asyncProperty(
        fc.array(value, { minLength: 1, maxLength: 12 }),
        fc.array(fc.tuple(value, fc.nat()), { maxLength: 6 }),
        fc.array(value, { maxLength: 3 }),
        async (paths, others, values) => {
          await open().run(`DELETE FROM ${table}`);
          await open().insert(
            table,
            paths.map((path, i) => ({ id: String(i + 1), path, legacy: 1, tenant: null })),
          );
          // Whole values, and pieces of what is there, cut anywhere but inside a character.
          const cut = paths.map((path, i) => [...path].slice(0, 2 + (others[i]?.[1] ?? 3)).join(""));
          const prefixes = [...cut, ...others.map(([text]) => text)].filter((text) => text.isWellFormed());
          const images = open().database.reference(specOf(table), {});
          const found = await images.matching({ values, prefixes, samples: [] });
          const wanted = (isFound: (rest: string) => boolean) =>
            paths.flatMap((path, i) => {
              const isBegun = (text: string) => path.startsWith(text) && isFound(path.slice(text.length));
              return values.includes(path) || prefixes.some(isBegun) ? [String(i + 1)] : [];
            });
          const ids = [...new Set(found.map(({ id }) => id))];
          expect(ids).toEqual(expect.arrayContaining(wanted(isSurelyFound)));
          expect(wanted(() => true)).toEqual(expect.arrayContaining(ids));
        },
      ),
      { numRuns: 60 },
    );
  });
}
