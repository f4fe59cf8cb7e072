/** What goes wrong in control: lost leases, two workers, pauses, cancels, retries, tripped guards, repeated requests. */

import { describe, expect, it } from "vitest";
import { copiesMade, moved, sumsAgree, until } from "../../support/bystander.ts";
import { bench, benchForEach, clock } from "../../support/worlds/bench-for-each.ts";
import { fillStore, IMAGES, imageKeys } from "../../support/worlds/workbench.ts";

const KEYS = imageKeys(20);

benchForEach({ objects: KEYS, rows: KEYS });

async function expectAllMoved(id: string): Promise<void> {
  const job = await bench.jobs.get(id);
  expect(job).toMatchObject({ state: "completed", objects: { planned: 20, moved: 20, exceptions: 0 } });
  expect(bench.store.listKeys("bucket-b")).toEqual(KEYS.map(moved));
  expect(bench.store.listKeys("bucket-a")).toEqual([]);
  expect(bench.paths()).toEqual(KEYS.map(moved));
}

describe("a worker that lost its lease while it stood still", () => {
  it.each([
    ["copying", { operation: "CopyObject" }],
    ["looking at the source for the last time", { operation: "ListObjectsV2", bucket: "bucket-a" }],
  ] as const)("in %s writes nothing more, and the one that took over ends the job", async (_, match) => {
    const id = await bench.submit({ batchSize: 7, inventory: { from: "database" } });
    const hold = bench.store.faults.hold({ ...match, when: onlyFirst() });
    const first = bench.work(id);
    await hold.arrival();
    clock.advance(30_000);
    const token = (await bench.ledger.job(id))?.fencingToken ?? 0;
    const second = bench.otherScheduler("second").runNow(id);
    await until(async () => {
      clock.advance(11_000);
      return ((await bench.ledger.job(id))?.fencingToken ?? 0) > token || hold.arrivals > 1;
    }, 3_000).catch(() => {});
    hold.release();
    await Promise.all([first, second]);
    await bench.otherScheduler("third").runNow(id);
    await expectAllMoved(id);
  });

  function onlyFirst(): () => boolean {
    let isFirst = true;
    return () => {
      const strikes = isFirst;
      isFirst = false;
      return strikes;
    };
  }
});

describe("two schedulers at once", () => {
  it("never both run one job", async () => {
    const id = await bench.submit({ batchSize: 7 });
    const runs = await Promise.all([
      bench.otherScheduler("a").runNow(id),
      bench.otherScheduler("b").runNow(id),
      bench.otherScheduler("c").runNow(id),
    ]);
    expect(runs.filter((run) => run !== null)).toHaveLength(1);
    await expectAllMoved(id);
    expect(copiesMade(bench)).toBe(20);
  });
});

describe("pausing", () => {
  it("lets requests under way end, and resuming goes on without copying anything twice", async () => {
    const id = await bench.submit({ batchSize: 5, limits: { concurrency: 2 } });
    const hold = bench.store.faults.hold({ operation: "CopyObject" });
    const run = bench.work(id);
    await hold.arrival();
    expect((await bench.jobs.act(id, "pause", "ann")).state).toBe("pausing");
    await new Promise((resolve) => setTimeout(resolve, 50));
    hold.release();
    expect((await run).state).toBe("paused");
    expect(bench.store.requests.count("CopyObject")).toBeLessThan(20);
    expect(bench.store.requests.count("DeleteObjects")).toBe(0);
    await bench.jobs.act(id, "pause", "ann");
    await bench.jobs.act(id, "resume", "ann");
    await bench.jobs.act(id, "resume", "ann");
    await bench.work(id);
    await expectAllMoved(id);
    expect(copiesMade(bench)).toBe(20);
  });

  it("for days, during which the world changed, looks at everything again", async () => {
    const id = await bench.submit({ batchSize: 50, delete: { when: "verified", after: "1h" } });
    const run = bench.work(id);
    await until(async () => (await bench.jobs.get(id)).objects.updated === 20);
    await bench.jobs.act(id, "pause", "ann");
    await run;
    const [lost, back, newer] = KEYS as [string, string, string];
    bench.store.deleteObject("bucket-b", moved(lost));
    bench.app.prepare("UPDATE images SET path = ? WHERE path = ?").run(back, moved(back));
    bench.store.putObject("bucket-a", newer, "newer");
    clock.advance(72 * 3_600_000);
    await bench.jobs.act(id, "resume", "ann");
    await bench.work(id);
    expect(await bench.exceptions(id)).toEqual({
      [lost]: "target_lost",
      [back]: "still_referenced",
      [newer]: "source_changed",
    });
    expect(bench.store.listKeys("bucket-a")).toEqual([lost, back, newer]);
  });
});

describe("cancelling", () => {
  it("ends the job, deletes nothing more, and the counters say what remains", async () => {
    const id = await bench.submit({ batchSize: 5, limits: { concurrency: 1 } });
    const hold = bench.store.faults.hold({ operation: "CopyObject", key: moved(KEYS[7] as string) });
    const run = bench.work(id);
    await hold.arrival();
    await bench.jobs.act(id, "cancel", "ann");
    await new Promise((resolve) => setTimeout(resolve, 50));
    hold.release();
    const job = await run;
    expect(job.state).toBe("cancelled");
    const remaining = job.objects.planned - job.objects.moved - job.objects.skipped - job.objects.exceptions;
    expect(bench.store.listKeys("bucket-a")).toHaveLength(20 - job.objects.moved);
    expect(remaining).toBeGreaterThan(0);
    await expect(bench.jobs.act(id, "resume", "ann")).rejects.toMatchObject({ code: "state_conflict" });
    expect((await bench.jobs.act(id, "cancel", "ann")).state).toBe("cancelled");
    expect(await bench.otherScheduler("later").runNow(id)).toBeNull();
  });
});

describe("retrying", () => {
  it("after the causes were fixed moves every exception, and the sums still agree", async () => {
    const [missing, taken, denied, kept, referenced] = KEYS as [string, string, string, string, string];
    bench.store.deleteObject("bucket-a", missing);
    bench.store.putObject("bucket-b", moved(taken), "foreign");
    const faults = [
      bench.store.faults.add({
        operation: "CopyObject",
        sourceKey: denied,
        effect: { type: "access-denied" },
      }),
      bench.store.faults.add({
        operation: "DeleteObjects",
        key: kept,
        effect: { type: "key-error", code: "AccessDenied" },
      }),
    ];
    bench.app.prepare("UPDATE images SET title = 'live'").run();
    bench.app.prepare("INSERT INTO images (path, title) VALUES (?, 'frozen')").run(referenced);
    const job = await bench.move({ batchSize: 6, references: [{ ...IMAGES, where: { title: "live" } }] });
    expect(await bench.exceptions(job.id)).toEqual({
      [missing]: "source_missing",
      [taken]: "target_exists",
      [denied]: "access_denied",
      [kept]: "delete_denied",
      [referenced]: "still_referenced",
    });
    expect(sumsAgree(job)).toBe(true);

    fillStore(bench.store, "bucket-a", [missing]);
    bench.store.deleteObject("bucket-b", moved(taken));
    for (const fault of faults) fault.remove();
    bench.app.prepare("DELETE FROM images WHERE title = 'frozen'").run();
    await bench.retry(job.id);
    await expectAllMoved(job.id);
    expect((await bench.jobs.act(job.id, "retry", "ann")).state).toBe("completed");
  });
});

describe("the guard of the exception ratio", () => {
  it("pauses the job with its reason when too many objects fail", async () => {
    const many = imageKeys(130, 100);
    fillStore(bench.store, "bucket-a", many);
    bench.addRows(many);
    const fault = bench.store.faults.add({
      operation: "CopyObject",
      every: 2,
      effect: { type: "access-denied" },
    });
    const job = await bench.move({ batchSize: 25, guards: { maxExceptionRatio: 0.1 } });
    expect(job.state).toBe("paused");
    expect(job.reason).toMatch(/maxExceptionRatio/);
    fault.remove();
    const after = await bench.retry(job.id);
    expect(after).toMatchObject({ state: "completed", objects: { planned: 150, moved: 150 } });
  });
});

describe("a request that is sent again", () => {
  it("under the same key gives the first job, even after everything has moved", async () => {
    const input = {
      source: { bucket: "bucket-a", prefix: "image/" },
      target: { bucket: "bucket-b", prefix: "avatar/" },
      references: [IMAGES],
      delete: { when: "verified", after: "0s" },
    };
    const by = { idempotencyKey: "k-1", actor: "ann" };
    const first = await bench.jobs.submit(input, by);
    await bench.work(first.job.id);
    await expectAllMoved(first.job.id);
    const again = await bench.jobs.submit(input, by);
    expect(again).toMatchObject({ created: false, job: { id: first.job.id, state: "completed" } });
    await expect(bench.jobs.submit({ ...input, batchSize: 7 }, by)).rejects.toMatchObject({
      code: "idempotency_conflict",
    });
  });
});
