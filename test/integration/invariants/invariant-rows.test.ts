/** A row changes only by compare-and-set on its exact old bytes; what someone else changed is never touched. */

import { describe, expect, it } from "vitest";
import { moved, sumsAgree, until } from "../../support/bystander.ts";
import { bench, benchForEach } from "../../support/worlds/bench-for-each.ts";
import { fillStore, IMAGES, imageKeys } from "../../support/worlds/workbench.ts";

benchForEach();

const KEYS = imageKeys(6);
const [FIRST, SECOND] = KEYS as [string, string];

/** Runs a job of one batch and calls `attack` while its copies are verified: rows are read, and not yet changed. */
const attackBeforeUpdate = (attack: () => void, job?: Record<string, unknown>) =>
  bench.moveWhile({ operation: "CopyObject", held: "after" }, attack, job);

describe("a row that someone else changed meanwhile", () => {
  it("keeps its new value, and the source it named at planning stays", async () => {
    fillStore(bench.store, "bucket-a", KEYS);
    bench.addRows(KEYS);
    const change = bench.app.prepare(
      "UPDATE images SET path = 'elsewhere/x.png', title = 'theirs' WHERE path = ?",
    );
    const job = await attackBeforeUpdate(() => void change.run(FIRST));
    expect(bench.paths()).toEqual(["elsewhere/x.png", ...KEYS.slice(1).map(moved)]);
    expect(await bench.exceptions(job.id)).toEqual({ [FIRST]: "row_changed" });
    expect(bench.store.listKeys("bucket-a")).toEqual([FIRST]);
    expect(job.state).toBe("completed_with_exceptions");
  });

  // A row lost and a row gained in one batch within the same seconds: the numbers agree, so nothing is reported.
  // docs/facts.md tells; what must hold is that the row is not touched and that nothing is lost.
  it("is left alone, and its object is safe, when another key has gained a row at the same time", async () => {
    fillStore(bench.store, "bucket-a", KEYS);
    bench.addRows(KEYS);
    const change = bench.app.prepare("UPDATE images SET path = 'elsewhere/x.png' WHERE path = ?");
    const job = await attackBeforeUpdate(() => {
      change.run(FIRST);
      bench.addRows([SECOND]);
    });
    expect(bench.paths()).toEqual(["elsewhere/x.png", ...KEYS.slice(1).map(moved), moved(SECOND)]);
    expect(job.objects).toMatchObject({ planned: KEYS.length, moved: KEYS.length });
    expect(bench.store.listKeys("bucket-b")).toEqual(KEYS.map(moved));
    expect(bench.store.getObject("bucket-b", moved(FIRST))?.read().toString()).toBe(`body of ${FIRST}`);
  });

  it("is left alone when the change is one of case only", async () => {
    fillStore(bench.store, "bucket-a", KEYS);
    bench.addRows(KEYS);
    const upper = FIRST.toUpperCase();
    const change = bench.app.prepare("UPDATE images SET path = ? WHERE path = ?");
    const job = await attackBeforeUpdate(() => void change.run(upper, FIRST));
    expect(bench.paths()[0]).toBe(upper);
    expect(await bench.exceptions(job.id)).toEqual({ [FIRST]: "row_changed" });
  });

  it("does not hold anything up when the application has deleted it", async () => {
    fillStore(bench.store, "bucket-a", KEYS);
    bench.addRows(KEYS);
    const remove = bench.app.prepare("DELETE FROM images WHERE path = ?");
    const job = await attackBeforeUpdate(() => void remove.run(FIRST));
    expect(job.state).toBe("completed");
    expect(bench.paths()).toEqual(KEYS.slice(1).map(moved));
  });

  it("was already pointed at the new key by the application itself, which is fine", async () => {
    fillStore(bench.store, "bucket-a", KEYS);
    bench.addRows(KEYS);
    const change = bench.app.prepare("UPDATE images SET path = ?, title = 'theirs' WHERE path = ?");
    const job = await attackBeforeUpdate(() => void change.run(moved(FIRST), FIRST));
    expect(job.state).toBe("completed");
    expect(bench.paths()).toEqual(KEYS.map(moved));
  });

  it("and appeared only after planning is moved as well", async () => {
    fillStore(bench.store, "bucket-a", KEYS);
    bench.addRows(KEYS);
    const job = await attackBeforeUpdate(() => bench.addRows([FIRST, FIRST]));
    expect(job.state).toBe("completed");
    expect(bench.paths()).toEqual([...KEYS, FIRST, FIRST].map(moved));
  });
});

describe("rows that look the same to a human or a collation", () => {
  const lookalikes = [
    "image/a.png",
    "image/A.png",
    "IMAGE/a.png",
    "image/a.png ",
    " image/a.png",
    "image/a.png\t",
    "image/\u00e9.png",
    "image/e\u0301.png",
    "image/ﬁ.png",
    "image/fi.png",
    "image",
    "images/a.png",
    "pre/image/a.png",
    "image/a%2Epng",
  ];

  it.each(["BINARY", "NOCASE", "RTRIM"])("change only where their bytes do, under %s", async (collation) => {
    bench.app.exec("DROP TABLE images");
    bench.app.exec(`CREATE TABLE images (id INTEGER PRIMARY KEY, path TEXT COLLATE ${collation})`);
    const objects = ["image/a.png", "image/\u00e9.png", "image/ﬁ.png"];
    fillStore(bench.store, "bucket-a", objects);
    bench.addRows(lookalikes);
    const job = await bench.move({ inventory: { from: "bucket" } });
    expect(bench.paths()).toEqual(lookalikes.map((path) => (objects.includes(path) ? moved(path) : path)));
    expect(job).toMatchObject({ state: "completed", objects: { moved: 3 } });
  });

  it("each follow their own object when all of them exist", async () => {
    const mine = lookalikes.filter((path) => path.startsWith("image/"));
    fillStore(bench.store, "bucket-a", mine);
    bench.addRows(lookalikes);
    const job = await bench.move({ batchSize: 3 });
    expect(job).toMatchObject({ state: "completed", objects: { moved: mine.length } });
    const after = lookalikes.map((path) => (mine.includes(path) ? moved(path) : path));
    expect(bench.paths()).toEqual(after);
    expect(bench.store.listKeys("bucket-b").sort()).toEqual(mine.map(moved).sort());
  });
});

describe("other columns", () => {
  it("are set in rows that change and in no other", async () => {
    fillStore(bench.store, "bucket-a", KEYS);
    bench.addRows([...KEYS, "avatar/own.png", "docs/image/000001.png"]);
    await bench.move({ references: [{ ...IMAGES, set: { legacy: 0, title: "new" } }] });
    const rows = bench.app.prepare("SELECT legacy, title FROM images ORDER BY id").all();
    expect(rows.slice(0, 6)).toEqual(KEYS.map(() => ({ legacy: 0, title: "new" })));
    expect(rows.slice(6)).toEqual([
      { legacy: 1, title: null },
      { legacy: 1, title: null },
    ]);
  });

  it("of a unique index that is in the way cost that object only, and a retry after the cure moves it", async () => {
    bench.app.exec("CREATE UNIQUE INDEX one_path ON images (path)");
    fillStore(bench.store, "bucket-a", KEYS);
    bench.addRows([...KEYS, moved(FIRST)]);
    const job = await bench.move();
    expect(await bench.exceptions(job.id)).toEqual({ [FIRST]: "row_conflict" });
    expect(bench.store.listKeys("bucket-a")).toEqual([FIRST]);
    bench.app.prepare("DELETE FROM images WHERE path = ?").run(moved(FIRST));
    const after = await bench.retry(job.id);
    expect(after).toMatchObject({ state: "completed", objects: { planned: 6, moved: 6, exceptions: 0 } });
    expect(sumsAgree(after)).toBe(true);
    expect(bench.paths()).toEqual(KEYS.map(moved));
  });
});

describe("the database", () => {
  it("sees at most four statements for 1,000 objects and one reference, and one before the end", async () => {
    const keys = imageKeys(1000);
    fillStore(bench.store, "bucket-a", keys);
    bench.addRows(keys);
    const job = await bench.move();
    expect(job).toMatchObject({ state: "completed", objects: { moved: 1000 } });
    expect(job.statements.app).toBeLessThanOrEqual(4 + 1);
  });

  it("is waited for while somebody has it locked, and the job says so", async () => {
    fillStore(bench.store, "bucket-a", KEYS);
    bench.addRows(KEYS);
    const copied = bench.store.faults.hold({ operation: "CopyObject" }, "after");
    const id = await bench.submit();
    const run = bench.work(id);
    await copied.arrival();
    bench.app.exec("BEGIN EXCLUSIVE");
    copied.release();
    await until(async () => (await bench.jobs.get(id)).waiting?.reason === "database");
    expect(bench.store.listKeys("bucket-a")).toEqual(KEYS);
    bench.app.exec("COMMIT");
    expect(await run).toMatchObject({ state: "completed" });
  });
});

describe("prefixes of which one begins with the other", () => {
  const between = (from: string, to: string, job = {}) => ({
    ...{ source: { bucket: "bucket-a", prefix: from }, target: { bucket: "bucket-b", prefix: to } },
    ...job,
  });

  it.each([
    ["a/", "a/b/", "a/a"],
    ["a/b/", "a/", "a/b/a"],
    ["", "all/", "b"],
  ])("are refused where rows would follow, even while no key is both: %j to %j", async (from, to, key) => {
    fillStore(bench.store, "bucket-a", [key]);
    bench.addRows([key]);
    const looked = await bench.jobs.preflight(between(from, to, { references: [IMAGES] }), { canary: false });
    expect(looked).toMatchObject({
      ok: false,
      problems: [{ severity: "error", code: "keys_become_others" }],
    });
    await expect(bench.submit(between(from, to))).rejects.toMatchObject({
      code: "invalid_input",
      faults: [{ pointer: "/target/prefix", code: "keys_become_others" }],
    });
    const job = await bench.move(between(from, to, { references: [], inventory: { from: "bucket" } }));
    expect(job.state).toBe("completed");
  });
});
