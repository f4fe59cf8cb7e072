/** What a job asks of the production database, by the server's own log of everything it was sent. */
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase } from "../../../src/stores/sql/open-database.ts";
import { type StartedMariadb, startMariadb } from "../../support/servers/mariadb.ts";
import { fillStore, IMAGES, imageKeys, openWorkbench } from "../../support/worlds/workbench.ts";

const OBJECTS = 10_000;
const BATCHES = 10;
const KEYS = imageKeys(OBJECTS);

let server: StartedMariadb;
beforeAll(async () => {
  server = await startMariadb({ settings: ["general_log=1", "log_output=TABLE"] });
});
afterAll(() => server.dispose());

/** Moves all objects with their rows in a database of its own, and gives what the server's log has of it, by connection. */
async function logOfJob(
  name: string,
  inventory: "bucket" | "database",
  urlPrefix: string | null = null,
): Promise<string[][]> {
  const admin = await createConnection(server.url);
  await admin.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4`);
  await admin.query(`USE ${name}`);
  await admin.query("CREATE TABLE images (id INT AUTO_INCREMENT PRIMARY KEY, path VARCHAR(255), KEY (path))");
  await admin.query("INSERT INTO images (path) VALUES ?", [KEYS.map((key) => [(urlPrefix ?? "") + key])]);
  // A user of the job's own tells its statements from ours.
  await admin.query(`CREATE USER ${name}@'%' IDENTIFIED BY 'pass'`);
  await admin.query(`GRANT SELECT, UPDATE ON ${name}.* TO ${name}@'%'`);
  const url = new URL(server.url);
  Object.assign(url, { username: name, password: "pass", pathname: `/${name}` });
  const bench = await openWorkbench({ appUrl: url.href });
  // A machine that is busy with other tests must not make statements smaller.
  const database = openDatabase("app", url.href, { longRewriteMs: 10_000 });
  Object.assign(bench.parts.connections, { reference: database.reference });
  try {
    fillStore(bench.store, "bucket-a", KEYS);
    const job = await bench.move({
      inventory: { from: inventory },
      references: [{ ...IMAGES, ...(urlPrefix === null ? {} : { urlPrefix }) }],
    });
    expect(job).toMatchObject({
      state: "completed",
      objects: { moved: OBJECTS },
      rows: { updated: OBJECTS },
    });
    const [left] = await admin.query<RowDataPacket[]>(
      "SELECT COUNT(*) n FROM images WHERE path LIKE CONCAT(?, 'avatar/%')",
      [urlPrefix ?? ""],
    );
    expect(left[0]?.n).toBe(OBJECTS);
  } finally {
    await bench.close();
    await database.close();
  }
  // What a connection was made with stands in its first line, `name@host on name`.
  const [rows] = await admin.query<RowDataPacket[]>(
    "SELECT thread_id, command_type, LEFT(CONVERT(argument USING utf8mb4), 500) argument FROM mysql.general_log " +
      `WHERE thread_id IN (SELECT thread_id FROM mysql.general_log WHERE command_type = 'Connect' AND argument LIKE '${name}@%') ` +
      "ORDER BY event_time",
  );
  await admin.end();
  const byConnection = new Map<number, string[]>();
  for (const { thread_id, command_type, argument } of rows) {
    const commands = byConnection.get(thread_id) ?? [];
    byConnection.set(thread_id, [...commands, `${command_type} ${argument}`]);
  }
  return [...byConnection.values()];
}

const ON_THE_TABLE = /^Query .*(FROM|UPDATE) `images`/;

test.each(["bucket", "database"] as const)(
  "inventory %s: four statements for a thousand objects and one reference at the most, one more after the deletion",
  async (inventory) => {
    const log = await logOfJob(`job_${inventory}`, inventory);
    const all = log.flat();
    const onTheTable = all.filter((command) => ON_THE_TABLE.test(command));
    // Rows are locked by statements of 500 values.
    const rewrites = onTheTable.filter((command) => /^Query UPDATE/.test(command)).length;
    expect(rewrites).toBe(2 * BATCHES);
    // Planning looks up or pages, deleting checks before and after. Submission explains and may read a page, and before the
    // end the job looks for what was left behind: three for the job.
    const reads = onTheTable.length - rewrites;
    expect(reads).toBeGreaterThanOrEqual(BATCHES);
    expect(reads).toBeLessThanOrEqual(3 * BATCHES + 3);
    // What is sent beside touches no row: five commands for a connection, and the table's shape read three times at most.
    const others = all.filter((command) => !ON_THE_TABLE.test(command));
    expect(others.filter((command) => /\b(COMMIT|BEGIN|START TRANSACTION)\b/i.test(command))).toEqual([]);
    expect(log.length).toBeLessThanOrEqual(4);
    expect(others.length).toBeLessThanOrEqual(5 * log.length + 3 * 4);
  },
);

test.each(["bucket", "database"] as const)(
  "inventory %s, URLs: no more than four, and what reads the table through once",
  async (inventory) => {
    const log = await logOfJob(`urls_${inventory}`, inventory, "https://cdn.example.com/");
    const onTheTable = log.flat().filter((command) => ON_THE_TABLE.test(command));
    expect(onTheTable.length).toBeLessThanOrEqual(4 * BATCHES + 2 + Math.ceil(OBJECTS / 5000) + 1);
  },
);
