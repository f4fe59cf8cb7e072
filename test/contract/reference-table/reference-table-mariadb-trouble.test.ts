/** What the reference table does in MariaDB when others hold locks, the connection goes, or the account may not. */
import { inspect } from "node:util";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { describe, expect, test } from "vitest";
import type { StatementLimiter } from "../../../src/ports/reference-table.ts";
import { openDatabase } from "../../../src/stores/sql/open-database.ts";
import { CHANGE, failureOf, many, setUpMariadb } from "./reference-table-mariadb-setting.ts";
import { NAME, specOf } from "./reference-table-workshop.ts";

const mariadb = setUpMariadb();
const { reference, create, pathsOf } = mariadb;

// Side by side, each on a table of its own: most of their time is waiting for locks.
describe.concurrent("locks", () => {
  async function holding<Result>(sql: string, work: () => Promise<Result>): Promise<Result> {
    const other = await createConnection(mariadb.own.url);
    try {
      await other.query("BEGIN");
      await other.query(sql);
      return await work();
    } finally {
      await other.query("ROLLBACK");
      await other.query("UNLOCK TABLES");
      await other.end();
    }
  }

  test("one row locked for good: all others are changed, that one becomes an exception, and it ends", async () => {
    await create("locked", "path VARCHAR(50), KEY (path)", many(8));
    const { images } = reference("locked");
    const result = await holding("SELECT * FROM locked WHERE id = 6 FOR UPDATE", () =>
      images.rewrite(many(8), CHANGE),
    );
    expect(result).toMatchObject({ rows: 7, failures: [{ value: "image/5", code: "row_not_updated" }] });
    expect((await pathsOf("locked")).filter((path) => path.startsWith("image/"))).toEqual(["image/5"]);
    expect(await images.rewrite(["image/5"], CHANGE)).toEqual({ rows: 1, failures: [] });
  });

  test("a row freed after a while is only waited for", async () => {
    await create("freed", "path VARCHAR(50), KEY (path)", many(16));
    const { images } = reference("freed");
    let running: ReturnType<typeof images.rewrite> | undefined;
    await holding("SELECT * FROM freed WHERE id = 6 FOR UPDATE", async () => {
      running = images.rewrite(many(16), CHANGE);
      await new Promise((resolve) => setTimeout(resolve, 1300));
    });
    expect(await running).toEqual({ rows: 16, failures: [] });
  });

  test("a locked table is unavailable, soon", async () => {
    await create("closed", "path VARCHAR(50), KEY (path)", many(200));
    const { images } = reference("closed");
    await images.findRows(["image/1"]);
    const error = await holding("LOCK TABLES closed WRITE", () =>
      failureOf(images.rewrite(many(200), CHANGE)),
    );
    expect(error.code).toBe("database_unavailable");
    expect((await images.rewrite(many(200), CHANGE)).rows).toBe(200);
  });

  test("against writers that lock the same rows the other way round, everything is changed in the end", async () => {
    await create("fought", "path VARCHAR(50), n INT NOT NULL DEFAULT 0, KEY (path)", many(400));
    let isOver = false;
    const fight = async () => {
      const other = await createConnection(mariadb.own.url);
      while (!isOver) {
        const from = Math.ceil(Math.random() * 390);
        try {
          await other.query("BEGIN");
          for (const id of [from + 10, from + 5, from])
            await other.query("UPDATE fought SET n = n + 1 WHERE id = ?", [id]);
          await other.query("COMMIT");
        } catch {
          await other.query("ROLLBACK");
        }
      }
      await other.end();
    };
    const writers = [fight(), fight(), fight()];
    const { images } = reference("fought");
    for (let round = 0; round < 5; round += 1) {
      expect(await images.rewrite(many(400), CHANGE)).toEqual({ rows: 400, failures: [] });
      const back = { from: "avatar/", to: "image/" };
      const changed = many(400).map((path) => path.replace("image/", "avatar/"));
      expect(await images.rewrite(changed, back)).toEqual({ rows: 400, failures: [] });
    }
    isOver = true;
    await Promise.all(writers);
  });
});

describe("the connection", () => {
  test("killed between and during statements: the work goes on", async () => {
    await create("killed", "path VARCHAR(50), KEY (path)", many(300));
    const { images } = reference("killed");
    // Once a round, at any moment of it: a statement that is killed every time it is sent may well give up.
    const killAll = async () => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 40));
      const [rows] = await mariadb.admin.query<RowDataPacket[]>(
        "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()",
      );
      for (const { id } of rows) await mariadb.admin.query(`KILL ${id}`).catch(() => {});
    };
    for (let round = 0; round < 20; round += 1) {
      const killing = killAll();
      await images.rewrite(many(300), CHANGE);
      expect((await images.findRows(many(300))).length).toBe(0);
      const changed = many(300).map((path) => path.replace("image", "avatar"));
      await images.rewrite(changed, { from: "avatar/", to: "image/" });
      expect((await images.page(null, "image/", 300)).length).toBe(300);
      await killing;
    }
    expect(await pathsOf("killed")).toEqual(many(300));
  });

  /** Ends the connection whose statement begins like this, as soon as there is one. */
  async function killSending(prefix: string): Promise<void> {
    for (const deadline = Date.now() + 10_000; Date.now() < deadline; ) {
      const [rows] = await mariadb.admin.query<RowDataPacket[]>(
        "SELECT id FROM information_schema.processlist WHERE info LIKE ?",
        [`${prefix}%`],
      );
      for (const { id } of rows) await mariadb.admin.query(`KILL ${id}`);
      if (rows.length > 0) return;
    }
    throw new Error(`nobody sent ${prefix}`);
  }

  test("a statement that is repeated after a loss asks again before it is sent", async () => {
    await create("lost", "path VARCHAR(50), KEY (path)", many(10));
    const { images, count } = reference("lost");
    await images.findRows(many(10));
    const sentBefore = count();
    let asked = 0;
    const limiter: StatementLimiter = async (send) => {
      asked += 1;
      // Nothing is open while somebody is held back here.
      const [open] = await mariadb.admin.query<RowDataPacket[]>(
        "SELECT 1 FROM information_schema.innodb_trx t JOIN information_schema.processlist p " +
          "ON p.id = t.trx_mysql_thread_id WHERE p.db = DATABASE()",
      );
      expect(open).toEqual([]);
      if (asked > 1) return send();
      const lock = await createConnection(mariadb.own.url);
      await lock.query("BEGIN");
      await lock.query("SELECT * FROM lost FOR UPDATE");
      const [sent] = await Promise.allSettled([send(), killSending("UPDATE `lost`")]);
      await lock.end();
      if (sent.status === "rejected") throw sent.reason;
      return sent.value;
    };
    expect(await images.rewrite(many(10), CHANGE, limiter)).toEqual({ rows: 10, failures: [] });
    expect([asked, count() - sentBefore]).toEqual([2, 2]);
  });

  test("no server: unavailable within a few seconds", async () => {
    const url = new URL(mariadb.own.url);
    url.port = "1";
    const absent = openDatabase(NAME, url.href);
    const begun = performance.now();
    expect((await failureOf(absent.reference(specOf("t"), {}).ping())).code).toBe("database_unavailable");
    expect(performance.now() - begun).toBeLessThan(3000);
    await absent.close();
  });

  test("refusals say what is wrong; the password is in no error", async () => {
    const password = "s3cr3t-Pässwort";
    const refusal = async (change: (url: URL) => void) => {
      const url = new URL(mariadb.own.url);
      url.password = encodeURIComponent(password);
      change(url);
      const opened = openDatabase(NAME, url.href);
      const error = await failureOf(opened.reference(specOf("t"), {}).ping());
      await opened.close();
      expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/s3cr3t|P%C3/);
      return `${error.code} ${error.message}`;
    };
    expect(await refusal(() => {})).toMatch(/^database_refused .*password is wrong.*1045/);
    expect(await refusal((url) => (url.port = "1"))).toMatch(/^database_unavailable/);
    await mariadb.admin.query(`CREATE USER reader@'%' IDENTIFIED BY '${password}'`);
    await create("seen", "path VARCHAR(50), KEY (path)", many(1));
    await mariadb.admin.query(`GRANT SELECT ON \`${mariadb.own.name}\`.seen TO reader@'%'`);
    expect(await refusal((url) => Object.assign(url, { username: "reader", pathname: "/mysql" }))).toMatch(
      /1044/,
    );
    const url = new URL(mariadb.own.url);
    Object.assign(url, { username: "reader", password: encodeURIComponent(password) });
    const reader = openDatabase(NAME, url.href);
    const denied = await failureOf(reader.reference(specOf("seen"), {}).rewrite(["image/0"], CHANGE));
    expect(`${denied.code} ${denied.message}`).toMatch(/^database_refused .*right on the table.*1142/);
    expect((await reader.reference(specOf("seen"), {}).inspect()).mayRewrite).toBe(false);
    await reader.close();
    await mariadb.admin.query("DROP USER reader@'%'");
    url.pathname = "/absent_database";
    url.username = new URL(mariadb.own.url).username;
    url.password = new URL(mariadb.own.url).password;
    const absent = openDatabase(NAME, url.href);
    expect((await failureOf(absent.reference(specOf("t"), {}).ping())).message).toMatch(/1049/);
    await absent.close();
    expect(() => openDatabase(NAME, `mysql://u:${password}@ho st/db`)).toThrow(/cannot be parsed/);
    expect(() => openDatabase(NAME, `postgres://u:${password}@host/db`)).toThrow(/must begin with/);
    expect(() => openDatabase(NAME, "mysql://u:%E0@host/db")).toThrow(/percent escape/);
  });
});
