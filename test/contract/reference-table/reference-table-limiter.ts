/** Calls that take several statements: each goes by the pass, so that what holds one back is asked before each. */
import { expect, test } from "vitest";
import { DomainError } from "../../../src/domain/errors.ts";
import type { StatementLimiter } from "../../../src/ports/reference-table.ts";
import { NAME, specOf, type Workshop } from "./reference-table-workshop.ts";

const CHANGE = { from: "image/", to: "avatar/" };
/** More than one statement takes. */
const MORE = 10_001;

const numbered = (count: number) => Array.from({ length: count }, (_, n) => `image/${n}`);

/** Registers the tests on the workshop that is open by then. */
export function limiterTests(open: () => Workshop): void {
  let serial = 0;

  /** A table of `paths`, each once, and a pass that notes how many statements were sent in each of its turns. */
  async function watched(paths: readonly string[], most = Number.POSITIVE_INFINITY) {
    serial += 1;
    const table = `passed${serial}`;
    await open().createTable(table, { unique: true });
    await open().insert(
      table,
      paths.map((path, n) => ({ id: String(n + 1), path, legacy: 1, tenant: null })),
    );
    const statements: Record<string, number> = {};
    const images = open().database.reference(specOf(table), statements);
    const count = () => statements[NAME] ?? 0;
    const turns: number[] = [];
    const limiter: StatementLimiter = async (send) => {
      if (count() >= most) throw new DomainError("stopped", "held");
      const before = count();
      try {
        return await send();
      } finally {
        turns.push(count() - before);
      }
    };
    return { table, images, count, turns, limiter };
  }

  /** Everything that was sent went by the pass, one statement at a time; the table's shape may have had a turn too. */
  function expectOneEach({ turns, count }: Awaited<ReturnType<typeof watched>>, atLeast: number): void {
    expect(count()).toBeGreaterThanOrEqual(atLeast);
    expect(turns.filter((sent) => sent > 0)).toEqual(Array.from({ length: count() }, () => 1));
    expect(turns.length - count()).toBeLessThanOrEqual(1);
  }

  test("a rewrite that is halved asks before each of its statements", async () => {
    const world = await watched([...numbered(16), "avatar/5"]);
    const result = await world.images.rewrite(numbered(16), CHANGE, world.limiter);
    expect(result).toMatchObject({ rows: 15, failures: [{ value: "image/5", code: "row_conflict" }] });
    expectOneEach(world, 9);
  });

  test("what is asked to stop between two statements sends no more, and a repetition does the rest", async () => {
    const world = await watched([...numbered(16), "avatar/5"], 3);
    const stopped = world.images.rewrite(numbered(16), CHANGE, world.limiter);
    await expect(stopped).rejects.toMatchObject({ code: "stopped" });
    expect(world.count()).toBe(3);
    await world.images.rewrite(numbered(16), CHANGE);
    const left = (await open().rows(world.table)).filter(({ path }) => path.startsWith("image/"));
    expect(left.map(({ path }) => path)).toEqual(["image/5"]);
  });

  test.each([
    ["looked for", "findRows"],
    ["asked about", "existing"],
  ] as const)("a list that is %s in pieces asks before each of them", async (_, call) => {
    const world = await watched(["image/0"]);
    const list = call === "existing" ? numbered(MORE).map((_value, n) => String(n)) : numbered(MORE);
    await world.images[call](list, world.limiter);
    expectOneEach(world, 2);
  });

  test("a page out of several windows asks before each of them", async () => {
    const others = Array.from({ length: 60 }, (_, n) => `other/${n}`);
    const world = await watched([...others, "image/a", "image/b"]);
    expect(await world.images.page(null, "image/", 2, world.limiter)).toHaveLength(2);
    expectOneEach(world, 2);
  });
}
