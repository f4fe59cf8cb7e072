/** Very many rows that name one key, in MariaDB: a stop is obeyed between two statements, and what a trigger undoes ends. */

import type { RowDataPacket } from "mysql2/promise";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { app, database, databaseForEach } from "../../support/servers/own-database.ts";
import { fillStore, openWorkbench, type Workbench } from "../../support/worlds/workbench.ts";

const KEY = "image/default.png";
let bench: Workbench;
databaseForEach();
beforeEach(async () => {
  await app.query("CREATE TABLE images (id INT PRIMARY KEY, path VARCHAR(200), KEY (path))");
  bench = await openWorkbench({ appUrl: database.url });
  fillStore(bench.store, "bucket-a", [KEY]);
});
afterEach(() => bench.close());

const fill = (rows: number) => app.query(`INSERT INTO images SELECT seq, '${KEY}' FROM seq_1_to_${rows}`);

async function rowsWith(path: string): Promise<number> {
  const [rows] = await app.query<RowDataPacket[]>("SELECT COUNT(*) n FROM images WHERE path = ?", [path]);
  return Number(rows[0]?.n);
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("rows that name one key", () => {
  it("a hundred thousand: a cancelled job leaves them within a second, the source kept", async () => {
    await fill(100_000);
    const id = await bench.submit();
    const worked = bench.work(id);
    while ((await rowsWith("avatar/default.png")) === 0) await pause(5);
    const cancelledAt = performance.now();
    await bench.jobs.act(id, "cancel", "test");
    expect((await worked).state).toBe("cancelled");
    expect(performance.now() - cancelledAt).toBeLessThan(1000);
    expect(await rowsWith(KEY)).toBeGreaterThan(0);
    expect(bench.store.listKeys("bucket-a")).toEqual([KEY]);
  });

  it("five thousand, and a trigger that restores them: the job ends with an exception, the source kept", async () => {
    await fill(5000);
    await app.query("CREATE TRIGGER restore BEFORE UPDATE ON images FOR EACH ROW SET NEW.path = OLD.path");
    const done = await bench.move();
    expect(done.state).toBe("completed_with_exceptions");
    expect(await bench.exceptions(done.id)).toEqual({ [KEY]: "row_not_updated" });
    expect(bench.store.listKeys("bucket-a")).toEqual([KEY]);
    expect(await rowsWith(KEY)).toBe(5000);
  });

  it("a trigger that makes another value of them: an exception, the source kept", async () => {
    await fill(3);
    await app.query("CREATE TRIGGER other BEFORE UPDATE ON images FOR EACH ROW SET NEW.path = 'elsewhere'");
    const done = await bench.move();
    expect(await bench.exceptions(done.id)).toEqual({ [KEY]: "row_not_updated" });
    expect(bench.store.listKeys("bucket-a")).toEqual([KEY]);
  });
});
