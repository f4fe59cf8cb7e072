/** Windows that bind only some stages: a job waits when nothing else goes on, and works while another stage does. */

import { describe, expect, it } from "vitest";
import { noteArrivals } from "../../support/arrivals.ts";
import { copiesMade, until, untilState } from "../../support/bystander.ts";
import { bench, benchForEach, clock } from "../../support/worlds/bench-for-each.ts";
import { fillStore, imageKeys } from "../../support/worlds/workbench.ts";

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const EDGE = Date.parse("2030-01-08T06:00:00Z");

benchForEach();

/** Fills the workbench, just before six o'clock, when the windows of `stages` shut for the day. */
function openBeforeSix(objects: number, stages: readonly string[]) {
  clock.advance(EDGE - 60_000 - clock.now());
  fillStore(bench.store, "bucket-a", imageKeys(objects));
  bench.addRows(imageKeys(objects));
  bench.store.faults.latencyMs = 5;
  return { timezone: "UTC", open: [{ days: DAYS, from: "22:00", to: "06:00" }], stages };
}

const limit = (id: string, limits: object) =>
  bench.jobs.amend(id, { limits }, { ifVersions: null, actor: "ann" });
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("windows for deletions alone", () => {
  it("that shut amid deletions leave a job running that updates slowly, and waiting when only they are left", async () => {
    const windows = openBeforeSix(80, ["delete"]);
    const arrivals = noteArrivals(bench.store, () => clock.now());
    const id = await bench.submit({ batchSize: 5, windows, limits: { requestsPerSecond: 60 } });
    const run = bench.work(id);
    await until(() => arrivals.some(({ operation }) => operation === "DeleteObjects"));
    clock.advance(EDGE - clock.now());
    // Deletions that had begun come to their throttler meanwhile: each takes several requests, and waits for its turn.
    await pause(800);
    await limit(id, { requestsPerSecond: null, rowsPerSecond: 2 });
    const shown = new Set<string>();
    for (const end = clock.now() + 2200; clock.now() < end; await pause(20)) {
      const { state, waiting } = await bench.jobs.get(id);
      shown.add(waiting?.reason ?? state);
    }
    expect([...shown]).toEqual(["running"]);
    await limit(id, { rowsPerSecond: null });
    await untilState(bench, id, "waiting");
    expect(copiesMade(bench)).toBe(80);
    expect((await bench.jobs.get(id)).waiting).toMatchObject({
      ...{ reason: "window", until: "2030-01-08T22:00:00.000Z" },
    });
    clock.advance(16 * 3_600_000);
    expect(await run).toMatchObject({ state: "completed", objects: { moved: 80 } });
  });
});

describe("windows for updates alone", () => {
  it("that are shut leave a job waiting with all its places taken, though not all is planned", async () => {
    const windows = openBeforeSix(60, ["update"]);
    clock.advance(80_000);
    const id = await bench.submit({ batchSize: 4, windows });
    const run = bench.work(id);
    await untilState(bench, id, "waiting");
    const job = await bench.jobs.get(id);
    expect(job.waiting).toMatchObject({ reason: "window", until: "2030-01-08T22:00:00.000Z" });
    expect(job.objects.planned).toBeLessThan(60);
    await pause(100);
    clock.advance(16 * 3_600_000);
    expect(await run).toMatchObject({ state: "completed", objects: { moved: 60 } });
  });
});
