/**
 * Statements that the server refuses for one row's sake are split until only that row is left out: on a lock wait (1205),
 * a deadlock (1213), a value too long (1406) and a duplicate (1062), each brought about in a real server.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Connection, createConnection, type RowDataPacket } from "mysql2/promise";
import { expect, test } from "vitest";
import { CHANGE, many, onMysql, setUpMariadb } from "./reference-table-mariadb-setting.ts";

const mariadb = setUpMariadb();
const { reference, create, pathsOf } = mariadb;

/** Halving a thousand values down to one: two statements each time. */
const SPLITS = 2 * Math.ceil(Math.log2(1000));

async function inTransaction<Result>(work: (other: Connection) => Promise<Result>): Promise<Result> {
  const other = await createConnection(mariadb.own.url);
  try {
    await other.query("BEGIN");
    return await work(other);
  } finally {
    await other.query("ROLLBACK");
    await other.end();
  }
}

/** Waits until a transaction of this file's database waits for a row. */
async function untilSomebodyWaits(): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const [waiting] = await mariadb.admin.query<RowDataPacket[]>(
      "SELECT 1 FROM information_schema.innodb_trx t JOIN information_schema.processlist p " +
        "ON p.id = t.trx_mysql_thread_id WHERE p.db = DATABASE() AND t.trx_state = 'LOCK WAIT'",
    );
    if (waiting.length > 0) return;
    if (Date.now() > deadline) throw new Error("nobody waits for a lock");
    // InnoDB renews what it shows here only after 0.1 s without a reader (MariaDB documentation, INNODB_TRX).
    await sleep(150);
  }
}

async function lastDeadlock(): Promise<string> {
  const [rows] = await mariadb.admin.query<RowDataPacket[]>("SHOW ENGINE INNODB STATUS");
  const status = String(rows[0]?.Status);
  return status.slice(status.indexOf("LATEST DETECTED DEADLOCK"), status.indexOf("\nTRANSACTIONS"));
}

test("1205: of a thousand rows one is locked by somebody; the other 999 are changed", async () => {
  await create("held", "path VARCHAR(50), KEY (path)", many(1000));
  const { images, count } = reference("held");
  const result = await inTransaction(async (other) => {
    await other.query("SELECT * FROM held WHERE path = 'image/500' FOR UPDATE");
    return images.rewrite(many(1000), CHANGE);
  });
  expect(result).toMatchObject({
    rows: 999,
    failures: [{ value: "image/500", code: "row_not_updated", message: expect.stringMatching(/lock wait/i) }],
  });
  // Halved ten times, and the whole and the last one repeated.
  expect(count()).toBeLessThanOrEqual(SPLITS + 3);
  expect((await pathsOf("held")).filter((path) => path.startsWith("image/"))).toEqual(["image/500"]);
}, 120_000);

test("1213: as the victim of a deadlock the statement is repeated, and everything is changed", async () => {
  await create("crossed", "path VARCHAR(50), n INT NOT NULL DEFAULT 0, KEY (path)", many(3000));
  const values = Array.from({ length: 100 }, (_, i) => `image/${1000 + i}`);
  const { images } = reference("crossed");
  const result = await inTransaction(async (other) => {
    // The server ends the transaction that has changed less: not this one.
    await other.query("UPDATE crossed SET n = 1 WHERE id > 2000");
    await other.query("UPDATE crossed SET n = 1 WHERE path = 'image/1099'");
    const running = images.rewrite(values, CHANGE);
    await untilSomebodyWaits();
    // The statement holds this row already and waits for the last one.
    await other.query("UPDATE crossed SET n = 1 WHERE path = 'image/1000'");
    await other.query("COMMIT");
    return running;
  });
  expect(await lastDeadlock()).toMatch(/UPDATE `crossed`[\s\S]*WE ROLL BACK TRANSACTION/);
  expect(result).toEqual({ rows: 100, failures: [] });
});

test("1406: rows whose other column becomes too long are left out, all others changed", async () => {
  await create("derived", "path VARCHAR(50), short VARCHAR(10), KEY (path)", many(1200));
  await mariadb.admin.query(
    "CREATE TRIGGER derive BEFORE UPDATE ON derived FOR EACH ROW SET NEW.short = NEW.path",
  );
  const { images } = reference("derived");
  const result = await images.rewrite(many(1004), CHANGE);
  // MySQL calls it 1265 in a trigger, as other conversions that lose something.
  const code = onMysql ? "row_not_updated" : "row_value_too_long";
  expect(result.failures.map((failure) => `${failure.value} ${failure.code}`).sort()).toEqual(
    ["image/1000", "image/1001", "image/1002", "image/1003"].map((value) => `${value} ${code}`),
  );
  expect(result.rows).toBe(1000);
});

test("1062: the one row whose new value another row has already is left out, all others changed", async () => {
  const taken = "avatar/700";
  await create("single_named", "path VARCHAR(50), UNIQUE KEY (path)", [...many(1000), taken]);
  const { images, count } = reference("single_named");
  expect(await images.rewrite(many(1000), CHANGE)).toMatchObject({
    rows: 999,
    failures: [{ value: "image/700", code: "row_conflict" }],
  });
  expect(count()).toBeLessThanOrEqual(SPLITS + 2);
  const paths = await pathsOf("single_named");
  expect(paths.filter((path) => path.startsWith("image/"))).toEqual(["image/700"]);
  expect(paths.filter((path) => path === taken).length).toBe(1);
});
