/** Functions that update rows, on MariaDB: the copying one by itself, and with copy logs the one that takes the events. */

import { type AddressInfo, createServer } from "node:net";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { RowUpdates } from "../../../src/domain/engines/row-updates.ts";
import type { ReferenceSpec } from "../../../src/domain/job-spec.ts";
import { CopyLogs } from "../../../src/engines/aws/copy-logs.ts";
import type { JobTerms } from "../../../src/engines/aws/user-arguments.ts";
import { systemClock } from "../../../src/stores/system-clock.ts";
import { copyEvent, type GivenTask } from "../../support/aws/copy-function.ts";
import { type CopyLogsTable, startCopyLogsTable } from "../../support/aws/events/copy-logs-table.ts";
import type { EventObject } from "../../support/aws/events/s3-events.ts";
import { RowFunctions } from "../../support/aws/row-functions.ts";
import { until } from "../../support/bystander.ts";
import { hostileKeys } from "../../support/hostile-keys.ts";
import { client, sandboxForAll, store } from "../../support/sandbox-client.ts";
import { app, database, databaseForAll } from "../../support/servers/own-database.ts";

const REFERENCE: ReferenceSpec = {
  ...{ database: "app", table: "images", key: "id", column: "path", urlPrefix: null },
  ...{ where: {}, set: {}, keepUpdatedAt: false },
};
const TERMS = {
  ...{ token: "token", sourceBucket: "from", sourcePrefix: "image/" },
  ...{ targetBucket: "to", targetPrefix: "avatar/", notAfter: null, leastMs: 0 },
};

sandboxForAll();
databaseForAll();
let table: CopyLogsTable;
let functions: RowFunctions;
beforeAll(async () => {
  table = await startCopyLogsTable();
});
afterAll(() => table.close());
beforeEach(async () => {
  await app.query("DROP TABLE IF EXISTS images");
  await app.query(
    `CREATE TABLE images (id INT AUTO_INCREMENT PRIMARY KEY, path VARCHAR(700) NOT NULL, kind VARCHAR(20) NOT NULL DEFAULT 'picture',
       moved INT NOT NULL DEFAULT 0, touched TIMESTAMP NOT NULL DEFAULT '2001-01-01' ON UPDATE CURRENT_TIMESTAMP, KEY (path))`,
  );
  functions = open();
});
afterEach(async () => {
  await functions.close();
  for (const bucket of ["from", "to"])
    for (const key of store.listKeys(bucket)) store.deleteObject(bucket, key);
  for (const name of Object.keys(await table.rows())) await remove(name);
});

const open = (databaseUrl = database.url) =>
  new RowFunctions({ s3: client, table, database: "app", databaseUrl });
const logs = () => new CopyLogs(table.client, table.name, { clock: systemClock, mostMs: 5_000 });
const remove = (name: string) => {
  const slash = name.indexOf("/");
  return slash < 0
    ? logs().removeTerms(name.slice("terms:".length))
    : logs().remove([{ bucket: name.slice(0, slash), key: name.slice(slash + 1) }]);
};

/** Puts an object and gives the task that copies it. */
function put(key: string): GivenTask {
  const { etag } = store.putObject("from", key, `body of ${key}`);
  return { key, etag, size: Buffer.byteLength(`body of ${key}`) };
}

async function addRows(paths: readonly string[], kind = "picture"): Promise<void> {
  await app.query("INSERT INTO images (path, kind) VALUES ?", [paths.map((path) => [path, kind])]);
}
async function paths(): Promise<string[]> {
  const [rows] = await app.query<RowDataPacket[]>("SELECT path FROM images ORDER BY id");
  return rows.map(({ path }) => path as string);
}
const moved = (key: string) => key.replace(/^image\//, "avatar/");

/** How the rows of copied objects come to be updated. */
interface Way {
  readonly engine: string;
  /** Has the tasks carried out, with what follows. */
  move(tasks: readonly GivenTask[], updates?: Partial<RowUpdates>): Promise<void>;
}

const updatesOf = (given: Partial<RowUpdates> = {}): RowUpdates => {
  return { references: [REFERENCE], maxThreadsRunning: null, ...given };
};

const WAYS: readonly Way[] = [
  {
    engine: "lambda",
    move: (tasks, updates) => expectCopied({ ...TERMS, copyLogs: null, updates: updatesOf(updates) }, tasks),
  },
  {
    engine: "lambda-copy-log",
    move: async (tasks, updates) => {
      const terms = { ...TERMS, copyLogs: table.name, updates: null };
      await logs().putTerms({ ...terms, updates: updatesOf(updates) });
      const events: EventObject[] = tasks.map(({ key, etag, size }) => {
        return { bucket: "to", key: moved(key), etag, size };
      });
      // The copies' own events; of an earlier copy they come again.
      await expectCopied(terms, tasks);
      await functions.land(events);
    },
  },
];

async function expectCopied(terms: JobTerms, tasks: readonly GivenTask[]): Promise<void> {
  const { results } = await functions.copy(copyEvent(terms, tasks));
  expect(results.map(({ resultCode }) => resultCode)).toEqual(tasks.map(() => "Succeeded"));
  for (const { key } of tasks) expect(store.getObject("to", moved(key))).toBeDefined();
}

describe.each(WAYS)("with $engine", ({ move }) => {
  it("rows of hostile keys name the new ones, and their neighbours stay", async () => {
    const keys = hostileKeys.filter((key) => key.length < 1000).map((key) => `image/${key}`);
    // What the collation takes for equal: other case, accents, trailing spaces.
    const neighbours = ["image/A+B", "image/a ", "IMAGE/a", "image/É", "avatar/x", "image/other"];
    await addRows([...keys, ...neighbours]);
    await move(keys.map(put));
    expect(await paths()).toEqual([...keys.map(moved), ...neighbours]);
  });

  it("every row of a key is updated, and none a second time by duplicates", async () => {
    await addRows(["image/a", "image/b", "image/a"]);
    const tasks = ["image/a", "image/b"].map(put);
    await move(tasks);
    await app.query("UPDATE images SET path = 'elsewhere' WHERE id = 3");
    await move([...tasks, ...tasks]);
    expect(await paths()).toEqual(["avatar/a", "avatar/b", "elsewhere"]);
    const [rows] = await app.query<RowDataPacket[]>("SELECT moved FROM images");
    expect(rows).toHaveLength(3);
  });

  it("a row that somebody else has changed meanwhile stays", async () => {
    await addRows(["image/a", "image/b"]);
    const tasks = ["image/a", "image/b"].map(put);
    await app.query("UPDATE images SET path = 'image/a.new' WHERE id = 1");
    await move(tasks);
    expect(await paths()).toEqual(["image/a.new", "avatar/b"]);
  });

  it("`where` bounds the rows, `set` changes others of their columns, and kept ones are kept", async () => {
    await addRows(["image/a"], "picture");
    await addRows(["image/a"], "Picture");
    await move([put("image/a")], {
      references: [{ ...REFERENCE, where: { kind: "picture" }, set: { moved: 7 }, keepUpdatedAt: true }],
    });
    const [rows] = await app.query<RowDataPacket[]>(
      "SELECT path, moved, YEAR(touched) AS year FROM images ORDER BY id",
    );
    expect(rows.map((row) => ({ ...row }))).toEqual([
      { path: "avatar/a", moved: 7, year: 2001 },
      { path: "image/a", moved: 0, year: 2001 },
    ]);
  });

  it("URLs are rewritten in all the forms of a key, and no others", async () => {
    const urlPrefix = "https://cdn.example/";
    const [raw, encoded, strict] = ["image/a (b)", "image/a%20(b)", "image/a%20%28b%29"];
    const others = [`${urlPrefix}image/a%20(b)?v=1`, `http://cdn.example/${encoded}`];
    await addRows([raw, encoded, strict].map((path) => urlPrefix + path));
    await addRows(others);
    await move([put("image/a (b)")], { references: [{ ...REFERENCE, urlPrefix }] });
    expect(await paths()).toEqual([
      ...[raw, encoded, strict].map((path) => urlPrefix + moved(path as string)),
      ...others,
    ]);
  });

  it("rows are left while Threads_running is above the limit, and updated below it", async () => {
    await addRows(["image/a", "image/b"]);
    const limit = { maxThreadsRunning: 3 };
    const busy = await Promise.all(Array.from({ length: 6 }, () => createConnection(database.url)));
    const sleeping = busy.map((connection) => connection.query("SELECT SLEEP(30)").catch(() => undefined));
    await until(async () => (await threadsRunning()) > 6);
    await move([put("image/a")], limit);
    expect(await paths()).toEqual(["image/a", "image/b"]);
    expect(functions.log).toContainEqual({
      event: "rows_left",
      reason: "Threads_running is above the limit of 3",
    });
    for (const connection of busy) connection.destroy();
    await Promise.all(sleeping);
    await killed();
    await until(async () => (await threadsRunning()) <= 2);
    // What was seen is a second old at most.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await move([put("image/b")], limit);
    expect(await paths()).toEqual(["image/a", "avatar/b"]);
  });

  it("an environment has one connection, and a new one where that was closed while it was frozen", async () => {
    const keys = Array.from({ length: 20 }, (_, n) => `image/${n}`);
    await addRows(keys);
    const own = await connections();
    const most: number[] = [];
    const watch = setInterval(() => void connections().then((ids) => most.push(ids.length)), 5);
    for (const key of keys.slice(0, 10)) await move([put(key)], { maxThreadsRunning: 1000 });
    await move(keys.slice(10, 15).map(put), { maxThreadsRunning: 1000 });
    clearInterval(watch);
    expect(Math.max(...most) - own.length).toBe(1);
    const [id] = (await connections()).filter((each) => !own.includes(each));
    await app.query(`KILL ${id}`);
    // Two at once, as no environment has them, of which the first one waits for a lock.
    const seen = await whileLocked(16, async () => {
      const both = Promise.all([move(keys.slice(15, 18).map(put)), move(keys.slice(18).map(put))]);
      await until(async () => (await connections()).length > own.length);
      await new Promise((resolve) => setTimeout(resolve, 400));
      const count = (await connections()).length - own.length;
      await both;
      return count;
    });
    expect(seen).toBe(1);
    expect(await paths()).toEqual(keys.map((key, n) => (n === 15 ? key : moved(key))));
  });

  it("a table whose column has no index is left to the service, and others are not", async () => {
    await addRows(["image/a"]);
    await app.query("DROP TABLE IF EXISTS bare");
    await app.query("CREATE TABLE bare (id INT AUTO_INCREMENT PRIMARY KEY, path VARCHAR(700) NOT NULL)");
    await app.query("INSERT INTO bare (path) VALUES ('image/a')");
    await move([put("image/a")], { references: [{ ...REFERENCE, table: "bare" }, REFERENCE] });
    expect(await paths()).toEqual(["avatar/a"]);
    const [rows] = await app.query<RowDataPacket[]>("SELECT path FROM bare");
    expect(rows.map(({ path }) => path)).toEqual(["image/a"]);
    expect(JSON.stringify(functions.log)).toContain("no index that can be used begins with path");
  });

  it("a row that another transaction holds is left, and the copy is not held up for long", async () => {
    await addRows(["image/a", "image/b"]);
    const began = performance.now();
    await whileLocked(1, () => move(["image/a", "image/b"].map(put)));
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(await paths()).toEqual(["image/a", "avatar/b"]);
    expect(functions.log).toContainEqual(
      expect.objectContaining({ event: "row_left", value: "image/a", code: "row_not_updated" }),
    );
  });

  it("objects are copied where the database is away, which is asked once in a while only", async () => {
    let asked = 0;
    const away = createServer((socket) => {
      asked += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => away.listen(0, "127.0.0.1", resolve));
    await functions.close();
    functions = open(database.url.replace(/:\d+\//, `:${(away.address() as AddressInfo).port}/`));
    await move(["image/a", "image/b", "image/c"].map(put));
    await move([put("image/d")]);
    expect(functions.log.filter(({ event }) => event === "rows_left")).toHaveLength(1);
    // One statement, repeated.
    expect(asked).toBe(3);
    await new Promise((resolve) => away.close(resolve));
  });
});

/** Runs `work` while another transaction has locked the row `id`. */
async function whileLocked<Result>(id: number, work: () => Promise<Result>): Promise<Result> {
  const other = await createConnection({ uri: database.url, database: "information_schema" });
  try {
    await other.query("START TRANSACTION");
    await other.query(`SELECT * FROM ${database.name}.images WHERE id = ${id} FOR UPDATE`);
    return await work();
  } finally {
    other.destroy();
  }
}

async function threadsRunning(): Promise<number> {
  const [rows] = await app.query<RowDataPacket[]>("SHOW GLOBAL STATUS LIKE 'Threads_running'");
  return Number(rows[0]?.Value);
}

/** Ids of the connections to the test's database. */
async function connections(): Promise<number[]> {
  const [rows] = await app.query<RowDataPacket[]>(
    `SELECT ID AS id FROM information_schema.PROCESSLIST WHERE DB = '${database.name}'`,
  );
  return rows.map(({ id }) => Number(id));
}

/** Ends the statements of connections that have gone: a sleeping one does not notice. */
async function killed(): Promise<void> {
  const [rows] = await app.query<RowDataPacket[]>(
    `SELECT ID AS id FROM information_schema.PROCESSLIST WHERE DB = '${database.name}' AND INFO = 'SELECT SLEEP(30)'`,
  );
  for (const { id } of rows) await app.query(`KILL ${id}`).catch(() => undefined);
}

describe("an invocation that was ended between copy and update", () => {
  it("leaves the row to the next one, which finds the copy made", async () => {
    await addRows(["image/a"]);
    const task = put("image/a");
    const terms = { ...TERMS, copyLogs: null, updates: null };
    // As far as the killed one came.
    await expectCopied(terms, [task]);
    expect(await paths()).toEqual(["image/a"]);
    await expectCopied({ ...terms, updates: updatesOf() }, [task]);
    expect(await paths()).toEqual(["avatar/a"]);
    expect(store.requests.byOperation()).not.toHaveProperty("DeleteObject");
  });

  it("between two tables leaves the second one to the next", async () => {
    await app.query("DROP TABLE IF EXISTS thumbs");
    await app.query("CREATE TABLE thumbs LIKE images");
    await app.query("INSERT INTO thumbs (path) VALUES ('image/a')");
    await addRows(["image/a"]);
    const task = put("image/a");
    const terms = { ...TERMS, copyLogs: null };
    await expectCopied({ ...terms, updates: updatesOf() }, [task]);
    const references = [REFERENCE, { ...REFERENCE, table: "thumbs", set: { moved: 1 } }];
    await expectCopied({ ...terms, updates: updatesOf({ references }) }, [task]);
    const [rows] = await app.query<RowDataPacket[]>("SELECT path, moved FROM thumbs");
    expect(rows.map((row) => ({ ...row }))).toEqual([{ path: "avatar/a", moved: 1 }]);
    expect(await paths()).toEqual(["avatar/a"]);
  });
});

describe("an event", () => {
  const event = ({ key, etag, size }: GivenTask, more: Partial<EventObject> = {}): EventObject => {
    return { bucket: "to", key: moved(key), etag, size, ...more };
  };
  const terms = () => ({ ...TERMS, copyLogs: table.name, updates: null });
  const begun = async () => {
    await addRows(["image/a"]);
    const task = put("image/a");
    await logs().putTerms({ ...terms(), updates: updatesOf() });
    await expectCopied(terms(), [task]);
    return task;
  };

  it("of a copy with another ETag is flagged, and proves nothing for the row", async () => {
    const task = await begun();
    await functions.land([event(task, { etag: "0123456789abcdef0123456789abcdef" })]);
    expect(Object.values(await table.rows()).some(({ Flag }) => Flag?.BOOL === true)).toBe(true);
    expect(await paths()).toEqual(["image/a"]);
  });

  it.each<[string, () => Promise<unknown>]>([
    ["after the recall of its consignment", () => logs().removeTerms("token")],
    ["after the removal of its record", () => logs().remove([{ bucket: "to", key: "avatar/a" }])],
    ["of a job whose terms are not understood", () => table.put(termsItem('{"v":"9"}'))],
    [
      "after the end of its job's time",
      () => logs().putTerms({ ...terms(), updates: updatesOf(), notAfter: Date.now() - 1 }),
    ],
    ["of a job whose rows the service updates", () => logs().putTerms(terms())],
  ])("%s changes no row", async (_, before) => {
    const task = await begun();
    await before();
    await functions.land([event(task)]);
    expect(await paths()).toEqual(["image/a"]);
  });

  it("that comes when the function has little time left changes no row", async () => {
    const task = await begun();
    await functions.land([event(task)], false);
    expect(await paths()).toEqual(["image/a"]);
  });

  it("of many objects together takes one statement for a table", async () => {
    const keys = Array.from({ length: 60 }, (_, n) => `image/${n}`);
    await addRows(keys);
    await logs().putTerms({ ...terms(), updates: updatesOf() });
    const tasks = keys.map(put);
    await expectCopied(terms(), tasks);
    await functions.land(tasks.map((task) => event(task)));
    expect(await paths()).toEqual(keys.map(moved));
    expect(functions.statements).toEqual({ app: 1 });
  });

  const termsItem = (text: string) => {
    return { Key: { S: "terms:token" }, Job: { S: "token" }, Terms: { S: text } };
  };
});

it("rows are refused by a function of another database, before anything is copied", async () => {
  const updates = updatesOf({ references: [{ ...REFERENCE, database: "crm" }] });
  const event = copyEvent({ ...TERMS, copyLogs: null, updates }, [put("image/a")]);
  const [result] = (await functions.copy(event)).results;
  expect(result).toMatchObject({ resultCode: "PermanentFailure" });
  expect(result?.resultString).toBe(
    'this function updates rows of database "app", and the job has rows in "crm"',
  );
  expect(store.listKeys("to")).toEqual([]);
});
