/** `rows.updated` is what the database has changed, whatever became of the objects; a trigger of the test's own counts too. */

import { beforeEach, expect, it } from "vitest";
import { moved, sumsAgree, until } from "../support/bystander.ts";
import { bench, benchForEach } from "../support/worlds/bench-for-each.ts";
import { IMAGES, imageKeys } from "../support/worlds/workbench.ts";

const KEYS = imageKeys(1000);

benchForEach({ objects: KEYS, rows: KEYS });
beforeEach(() => {
  bench.app.exec("CREATE TABLE thumbs (id INTEGER PRIMARY KEY, path TEXT)");
  bench.app.exec("CREATE INDEX thumbs_path ON thumbs (path)");
  bench.app.exec("INSERT INTO thumbs SELECT id, path FROM images");
  bench.app.exec("CREATE TABLE changes (id INTEGER PRIMARY KEY, path TEXT)");
  for (const table of ["images", "thumbs"]) {
    bench.app.exec(
      `CREATE TRIGGER ${table}_noted AFTER UPDATE OF path ON ${table} WHEN new.path LIKE 'avatar/%'
       BEGIN INSERT INTO changes (path) VALUES (new.path); END`,
    );
  }
});

const changes = () => bench.app.prepare<[], { n: number }>("SELECT COUNT(*) AS n FROM changes").get()?.n ?? 0;

it("rows that were changed before a stage failed half-way count, though their objects are exceptions then", async () => {
  const id = await bench.submit({ references: [IMAGES, { ...IMAGES, table: "thumbs" }] });
  const hold = bench.store.faults.hold({ operation: "CopyObject" });
  const run = bench.work(id);
  await hold.arrival();
  // The second table is away when the rows of the first have been changed.
  bench.app.exec("ALTER TABLE thumbs RENAME TO away");
  hold.release();
  await until(() => changes() === 1000);
  await until(async () => (await bench.jobs.get(id)).waiting?.reason === "database");
  // The application changes most rows again, to keys of its own.
  bench.app.exec("UPDATE images SET path = 'elsewhere/' || id WHERE id <= 997");
  bench.app.exec("ALTER TABLE away RENAME TO thumbs");
  const job = await run;
  expect(job).toMatchObject({ state: "completed_with_exceptions", objects: { moved: 3, exceptions: 997 } });
  expect(sumsAgree(job)).toBe(true);
  expect(job.rows.updated).toBe(changes());
  expect(changes()).toBe(1003);
  expect(bench.store.listKeys("bucket-a")).toEqual(KEYS.slice(0, 997));
  expect(bench.paths().slice(997)).toEqual(KEYS.slice(997).map(moved));
});
