/** A source may go only on evidence: each test takes one piece of the evidence away just before the deletion. */

import { describe, expect, it } from "vitest";
import type { JobView } from "../../../src/jobs/view/job-view.ts";
import { bodyOf, moved, sumsAgree, until } from "../../support/bystander.ts";
import { bench, benchForEach, clock } from "../../support/worlds/bench-for-each.ts";
import { IMAGES, imageKeys } from "../../support/worlds/workbench.ts";

const HOUR = 3_600_000;
const KEYS = imageKeys(12);
const VICTIM = KEYS[5] as string;

benchForEach({ objects: KEYS });

/** Runs a job with an hour of grace, calls `attack` when every row is updated, lets the hour pass, gives the end. */
async function attackInGrace(attack: () => void, job: Record<string, unknown> = {}): Promise<JobView> {
  const id = await bench.submit({ batchSize: 5, delete: { when: "verified", after: "1h" }, ...job });
  const run = bench.work(id);
  await until(async () => (await bench.jobs.get(id)).objects.updated === KEYS.length);
  attack();
  clock.advance(HOUR);
  return run;
}

async function expectOnlyVictimKept(job: JobView, code: string): Promise<void> {
  expect(job.state).toBe("completed_with_exceptions");
  expect(sumsAgree(job)).toBe(true);
  expect(job.objects).toMatchObject({ planned: 12, moved: 11, exceptions: 1 });
  expect(await bench.exceptions(job.id)).toEqual({ [VICTIM]: code });
  expect(bench.store.listKeys("bucket-a")).toEqual([VICTIM]);
}

describe("a source is kept", () => {
  it("when its verified copy has vanished from the target", async () => {
    bench.addRows(KEYS);
    const job = await attackInGrace(() => bench.store.deleteObject("bucket-b", moved(VICTIM)));
    await expectOnlyVictimKept(job, "target_lost");
    expect(bodyOf(bench, "bucket-a", VICTIM)).toBe(`body of ${VICTIM}`);
  });

  it("when its verified copy has been overwritten with other bytes of the same length", async () => {
    bench.addRows(KEYS);
    const other = `BODY of ${VICTIM}`;
    const job = await attackInGrace(() => bench.store.putObject("bucket-b", moved(VICTIM), other));
    await expectOnlyVictimKept(job, "target_changed");
    expect(bodyOf(bench, "bucket-b", moved(VICTIM))).toBe(other);
  });

  it("when its verified copy has been cut short to nothing", async () => {
    bench.addRows(KEYS);
    const job = await attackInGrace(() => bench.store.putObject("bucket-b", moved(VICTIM), ""));
    await expectOnlyVictimKept(job, "target_changed");
  });

  it("when the application has pointed a row back to the old key", async () => {
    bench.addRows(KEYS);
    const back = bench.app.prepare("UPDATE images SET path = ? WHERE path = ?");
    const job = await attackInGrace(() => back.run(VICTIM, moved(VICTIM)));
    await expectOnlyVictimKept(job, "still_referenced");
    expect(bench.paths()).toContain(VICTIM);
  });

  it("when the application has added a new row with the old key", async () => {
    bench.addRows(KEYS);
    const job = await attackInGrace(() => bench.addRows([VICTIM]));
    await expectOnlyVictimKept(job, "still_referenced");
  });

  it("when a row outside the reference's where still names it", async () => {
    bench.addRows([...KEYS, VICTIM]);
    bench.app.exec("UPDATE images SET title = 'live' WHERE id <= 12");
    const job = await attackInGrace(() => {}, { references: [{ ...IMAGES, where: { title: "live" } }] });
    await expectOnlyVictimKept(job, "still_referenced");
    expect(bench.paths().at(-1)).toBe(VICTIM);
  });

  it("when only a row of the second reference still names it", async () => {
    bench.app.exec("CREATE TABLE covers (id INTEGER PRIMARY KEY, file TEXT)");
    bench.addRows(KEYS);
    const covers = { database: "app", table: "covers", key: "id", column: "file" };
    const attack = () => bench.app.prepare("INSERT INTO covers (file) VALUES (?)").run(VICTIM);
    const job = await attackInGrace(() => void attack(), { references: [IMAGES, covers] });
    await expectOnlyVictimKept(job, "still_referenced");
  });

  it("when it has been overwritten after it was copied", async () => {
    bench.addRows(KEYS);
    const job = await attackInGrace(() => bench.store.putObject("bucket-a", VICTIM, "newer bytes"));
    await expectOnlyVictimKept(job, "source_changed");
    expect(bodyOf(bench, "bucket-a", VICTIM)).toBe("newer bytes");
  });

  it("when it is overwritten while the deletion is already on its way", async () => {
    bench.addRows(KEYS);
    const job = await bench.moveWhile(
      { operation: "DeleteObjects", key: VICTIM },
      () => bench.store.putObject("bucket-a", VICTIM, "newer bytes"),
      { batchSize: 5 },
    );
    await expectOnlyVictimKept(job, "source_changed");
    expect(bodyOf(bench, "bucket-a", VICTIM)).toBe("newer bytes");
  });

  it.each([
    ["a long standstill", 20_000],
    ["the clock was set back", -5_000],
  ])("when evidence gathered before %s is no longer true", async (_, ms) => {
    bench.addRows(KEYS);
    const id = await bench.submit({ batchSize: 50, delete: { when: "verified", after: "1h" } });
    const run = bench.work(id);
    await until(async () => (await bench.jobs.get(id)).objects.updated === KEYS.length);
    // The target is looked at first and the source last, so now the target's evidence is in.
    const hold = bench.store.faults.hold({ operation: "ListObjectsV2", bucket: "bucket-a" });
    clock.advance(HOUR);
    await hold.arrival();
    bench.store.deleteObject("bucket-b", moved(VICTIM));
    clock.advance(ms);
    hold.release();
    await expectOnlyVictimKept(await run, "target_lost");
  });

  it("no longer than its evidence is fresh: making sure that another source is gone comes after the deletion", async () => {
    bench.addRows(KEYS);
    const gone = KEYS[2] as string;
    const id = await bench.submit({ batchSize: 50, delete: { when: "verified", after: "1h" } });
    const run = bench.work(id);
    await until(async () => (await bench.jobs.get(id)).objects.updated === KEYS.length);
    bench.store.deleteObject("bucket-a", gone);
    const hold = bench.store.faults.hold({ operation: "HeadObject", key: gone });
    clock.advance(HOUR);
    await hold.arrival();
    expect(bench.store.listKeys("bucket-a")).toEqual([]);
    clock.advance(60_000);
    hold.release();
    expect(await run).toMatchObject({ state: "completed" });
  });

  it("when the store put the deletion off so long that the evidence has grown old", async () => {
    bench.addRows(KEYS);
    const slow = bench.store.faults.add({ operation: "DeleteObjects", effect: { type: "slow-down" } });
    const run = bench.move({ batchSize: 50 });
    await until(() => slow.fired > 0);
    bench.store.deleteObject("bucket-b", moved(VICTIM));
    clock.advance(60_000);
    slow.remove();
    await expectOnlyVictimKept(await run, "target_lost");
  });

  it("when a row came back while the store put the deletion off", async () => {
    bench.addRows(KEYS);
    const slow = bench.store.faults.add({ operation: "DeleteObjects", effect: { type: "slow-down" } });
    const run = bench.move({ batchSize: 50 });
    await until(() => slow.fired > 0);
    bench.addRows([VICTIM]);
    clock.advance(60_000);
    slow.remove();
    await expectOnlyVictimKept(await run, "still_referenced");
  });
});
