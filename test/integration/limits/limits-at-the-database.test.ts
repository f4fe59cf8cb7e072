/** The limit of rows as the database sees it: a trigger of its own notes when each row changes. */

import type { RowDataPacket } from "mysql2/promise";
import { afterEach, expect, it } from "vitest";
import { mostInASecond, noteStalls } from "../../support/arrivals.ts";
import { app, database, databaseForEach } from "../../support/servers/own-database.ts";
import {
  fillStore,
  IMAGES,
  imageKeys,
  openWorkbench,
  type Workbench,
} from "../../support/worlds/workbench.ts";

let bench: Workbench;
databaseForEach();
afterEach(() => bench.close());

/** Rows that change further apart are not of one statement. */
const BETWEEN_MS = 20;

/** Runs a job whose rows are its slowest part, and gives when each of them changed, ms. */
async function changesOf(rows: number, job: object): Promise<number[]> {
  const keys = imageKeys(rows);
  await app.query("CREATE TABLE images (id INT AUTO_INCREMENT PRIMARY KEY, path VARCHAR(255), KEY (path))");
  await app.query("CREATE TABLE changes (id INT AUTO_INCREMENT PRIMARY KEY, at DOUBLE)");
  await app.query("INSERT INTO images (path) VALUES ?", [keys.map((key) => [key])]);
  // NOW() is when the statement began, SYSDATE() when the row changes.
  await app.query(
    "CREATE TRIGGER noted AFTER UPDATE ON images FOR EACH ROW " +
      "INSERT INTO changes (at) VALUES (1000 * UNIX_TIMESTAMP(SYSDATE(6)))",
  );
  bench = await openWorkbench({ appUrl: database.url });
  fillStore(bench.store, "bucket-a", keys);
  const view = await bench.move({ references: [IMAGES], delete: { when: "never" }, ...job });
  expect(view).toMatchObject({ state: "completed", rows: { updated: rows } });
  const [changes] = await app.query<RowDataPacket[]>("SELECT at FROM changes ORDER BY at");
  return changes.map(({ at }) => Number(at));
}

it("rows a second are never more than 5 % above the limit, and 95 % of it are used", async () => {
  // Neither a batch nor a fifth of a second's worth is a part of the other.
  const { limit, rows, batchSize } = { limit: 730, rows: 2900, batchSize: 1000 };
  const stalls = noteStalls();
  const times = await changesOf(rows, { batchSize, limits: { rowsPerSecond: limit } });
  stalls.end();
  expect(times).toHaveLength(rows);
  const fullest = mostInASecond(times);
  // From the beginning of one statement to that of another; the first second is slower.
  const begun = times.filter((at, nth) => at - (times[nth - 1] ?? 0) > BETWEEN_MS);
  const from = begun.find((at) => at >= (begun[0] ?? 0) + 1000) ?? 0;
  const to = begun.at(-1) ?? 0;
  const used = (times.filter((at) => at >= from && at < to).length * 1000) / (to - from);
  console.info(
    `limit ${limit}: fullest second ${fullest}, used ${used.toFixed(1)}, stall ${stalls.longest().toFixed()} ms`,
  );
  expect(fullest).toBeLessThanOrEqual(limit * (1.05 + stalls.longest() / 1000));
  expect(used).toBeGreaterThanOrEqual(limit * 0.95);
});
