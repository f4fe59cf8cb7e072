/** A range that is in somebody's way, or no longer what it was: by list then, and every row is found. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { openDatabase } from "../../../src/stores/sql/open-database.ts";
import { BY_RANGE, listen, pathOf, VALUES } from "./reference-table-mariadb-sent.ts";
import { CHANGE, setUpMariadb } from "./reference-table-mariadb-setting.ts";
import { NAME, specOf } from "./reference-table-workshop.ts";

// A machine that is busy with other tests must not make statements smaller.
const mariadb = setUpMariadb(10_000);
const { reference, create, pathsOf } = mariadb;

afterEach(() => void vi.restoreAllMocks());

describe("a range in trouble", () => {
  test.each([
    ["between the values", "image/000050.zzz"],
    ["right behind them", "image/000100.png"],
  ])(
    "a row %s that somebody else holds is not waited for: by list then, which does not meet it",
    async (_, held) => {
      await mariadb.admin.query("DROP TABLE IF EXISTS held");
      await create("held", "path VARCHAR(100), KEY (path)", [...VALUES.slice(0, 200), "image/000050.zzz"]);
      const { images } = reference("held");
      await images.findRowsToRewrite(VALUES.slice(0, 100));
      const sent = listen();
      await mariadb.admin.query("BEGIN");
      try {
        await mariadb.admin.query("SELECT * FROM held WHERE path = ? FOR UPDATE", [held]);
        const rewriting = images.rewrite(VALUES.slice(0, 100), CHANGE);
        await new Promise((resolve) => setTimeout(resolve, 300));
        // A row of the batch: were it locked by one who waits for us, we would be rolled back, by ERROR 1213.
        await mariadb.admin.query("UPDATE held SET path = CONCAT(path, '') WHERE id = 11");
        expect(await rewriting).toEqual({ rows: 100, failures: [] });
      } finally {
        await mariadb.admin.query("ROLLBACK");
      }
      expect(sent.updates().map((sql) => BY_RANGE.test(sql))).toEqual([true, false]);
    },
  );

  test("many rows that somebody else holds: as many are waited for as without ranges, and fewer and fewer are tried", async () => {
    const values = Array.from({ length: 4000 }, (_, index) => pathOf(index));
    const others = Array.from(
      { length: 8 },
      (_, part) => `image/${String(part * 500 + 250).padStart(6, "0")}.zzz`,
    );
    await create("held_often", "path VARCHAR(100), KEY (path)", [...values, ...others]);
    const { images, count } = reference("held_often");
    await images.findRowsToRewrite(values);
    const sent = listen();
    await mariadb.admin.query("BEGIN");
    try {
      await mariadb.admin.query("SELECT * FROM held_often WHERE id > 4000 FOR UPDATE");
      const before = count();
      for (let part = 0; part < 8; part += 1) {
        const some = values.slice(part * 500, part * 500 + 500);
        expect(await images.rewrite(some, CHANGE)).toEqual({ rows: 500, failures: [] });
      }
      expect(sent.ways()).toBe("RLLRLLLRLLL");
      expect(count() - before).toBe(11);
    } finally {
      await mariadb.admin.query("ROLLBACK");
    }
  });

  test("what was known is known no more after a long wait for the database", async () => {
    await create("waited", "path VARCHAR(100), KEY (path)", VALUES.slice(0, 100));
    const { images } = reference("waited");
    await images.findRowsToRewrite(VALUES.slice(0, 100));
    const sent = listen();
    const now = performance.now();
    const result = await images.rewrite(VALUES.slice(0, 100), CHANGE, async (send) => {
      vi.spyOn(performance, "now").mockReturnValue(now + 301_000);
      return send().finally(() => vi.mocked(performance.now).mockRestore());
    });
    expect(result.rows).toBe(100);
    expect(sent.updates().map((sql) => BY_RANGE.test(sql))).toEqual([false]);
  });

  test("a server, or something before it, that takes no such statement: by list, as before", async () => {
    await create("plain_only", "path VARCHAR(100), KEY (path)", VALUES.slice(0, 200));
    const { images } = reference("plain_only");
    await images.findRowsToRewrite(VALUES.slice(0, 200));
    const sent = listen((sql) =>
      sql.replace("SET STATEMENT innodb_lock_wait_timeout", "SET STATEMENT unheard_of"),
    );
    expect(await images.rewrite(VALUES.slice(0, 200), CHANGE)).toEqual({ rows: 200, failures: [] });
    expect(sent.ways()).toBe("RL");
  });

  test("a connection that such a statement breaks, each time: by list then, and fewer and fewer are tried", async () => {
    await create("breaking", "path VARCHAR(100), KEY (path)", VALUES);
    const { images } = reference("breaking");
    await images.findRowsToRewrite(VALUES);
    const sent = listen((sql) => {
      if (!BY_RANGE.test(sql)) return sql;
      throw Object.assign(new Error("reset by peer"), { code: "ECONNRESET" });
    });
    for (let part = 0; part < 1000; part += 125) {
      const some = VALUES.slice(part, part + 125);
      expect(await images.rewrite(some, CHANGE)).toEqual({ rows: 125, failures: [] });
    }
    expect(sent.ways()).toBe("RLLRLLLRLLL");
  });

  test("once one was served, failures begin at one again", async () => {
    await create("served", "path VARCHAR(100), KEY (path)", VALUES);
    const { images } = reference("served");
    await images.findRowsToRewrite(VALUES);
    let works = false;
    const sent = listen((sql) => (works ? sql : sql.replace("lock_wait_timeout", "unheard_of")));
    for (const [part, isTaken] of [false, true, true, false, false, false].entries()) {
      works = isTaken;
      await images.rewrite(VALUES.slice(part * 125, part * 125 + 125), CHANGE);
    }
    // Refused, passed over, served, refused, passed over, refused.
    expect(sent.ways()).toBe("RL" + "L" + "R" + "RL" + "L" + "RL");
  });

  test("a table that somebody locks: the range does not wait for it", async () => {
    await create("locked_whole", "path VARCHAR(100), KEY (path)", VALUES.slice(0, 100));
    const { images } = reference("locked_whole");
    await images.findRowsToRewrite(VALUES.slice(0, 100));
    const sent = listen();
    await mariadb.admin.query("LOCK TABLES locked_whole READ");
    try {
      const rewriting = images.rewrite(VALUES.slice(0, 100), CHANGE);
      // The list waits for a second at least; the range would have, too.
      await vi.waitFor(() => expect(sent.ways()).toMatch(/^RL/), { timeout: 900, interval: 5 });
      await mariadb.admin.query("UNLOCK TABLES");
      expect(await rewriting).toEqual({ rows: 100, failures: [] });
    } finally {
      await mariadb.admin.query("UNLOCK TABLES");
    }
  });

  test("many rows that came between the values since: it is given up, and the list does not meet them", async () => {
    await create("filled_up", "path VARCHAR(100), KEY (path)", VALUES.slice(0, 700));
    const database = openDatabase(NAME, mariadb.own.url, { lockWaitSeconds: 1 });
    const images = database.reference(specOf("filled_up"), {});
    try {
      await images.findRowsToRewrite(VALUES.slice(0, 700));
      await mariadb.admin.query(
        "INSERT INTO filled_up (path) SELECT CONCAT('image/000250/', seq) FROM seq_1_to_300000",
      );
      const sent = listen();
      expect((await images.rewrite(VALUES.slice(0, 500), CHANGE)).rows).toBe(500);
      expect(sent.ways()).toBe("RL");
      await images.rewrite(VALUES.slice(500, 700), CHANGE);
      expect(sent.ways()).toBe("RLL");
    } finally {
      await database.close();
    }
  });

  test("rows that are not within the reference's where: none is changed, by range or by list", async () => {
    await create("elsewhere", "path VARCHAR(100), tenant INT DEFAULT 0, KEY (path)", VALUES.slice(0, 100));
    const { images } = reference("elsewhere", { where: { tenant: 1 } });
    await images.findRowsToRewrite(VALUES.slice(0, 100));
    const sent = listen();
    expect(await images.rewrite(VALUES.slice(0, 100), CHANGE)).toEqual({ rows: 0, failures: [] });
    expect(sent.ways()).toBe("RL");
    expect(await pathsOf("elsewhere")).toEqual(VALUES.slice(0, 100));
  });

  test("a value in many rows: all of them are found, by list, and changed", async () => {
    const most = Array.from({ length: 3000 }, () => pathOf(50));
    await create("crowded", "path VARCHAR(100), KEY (path)", [...VALUES.slice(0, 100), ...most]);
    const { images } = reference("crowded");
    const sent = listen();
    const found = await images.findRowsToRewrite(VALUES.slice(0, 100));
    expect(found.length).toBe(3100);
    const looks = sent.selects().filter((sql) => sql.includes(" `crowded` r"));
    expect(looks.map((sql) => BY_RANGE.test(sql))).toEqual([true, false]);
    expect(await images.rewrite(VALUES.slice(0, 100), CHANGE)).toEqual({ rows: 3100, failures: [] });
    expect(sent.ways()).not.toMatch(/R/);
  });
});
