/** A simulated week: the finish time that an operator is shown, at many moments, against the moment at which the job ended. */

import { describe, expect, it } from "vitest";
import { at } from "../support/clocks/wall-clock.ts";
import { openSimulatedService, type SimulatedService } from "../support/worlds/simulated-service.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const cairo = (time: string) => at("Africa/Cairo", time);

interface Shown {
  readonly at: number;
  readonly finishAt: number | null;
  readonly openings: number | null;
  readonly planDone: boolean;
}

const END = { delete: { when: "verified", after: "0s" } };
/** Twenty minutes a night in the week, ten at the weekend at twice the speed. */
const NIGHTS = {
  timezone: "Africa/Cairo",
  open: [
    { days: ["mon", "tue", "wed", "thu", "fri"], from: "02:00", to: "02:20" },
    { days: ["sat", "sun"], from: "02:00", to: "02:10", limits: { requestsPerSecond: 12 } },
  ],
};

async function begun(objects: number, job: object): Promise<{ service: SimulatedService; id: string }> {
  const service = await openSimulatedService({
    now: cairo("2026-03-02 01:50"),
    // Cairo is two hours ahead in March: the small hours of its nights are the last of the day before in UTC.
    isIdle: (minute) => (minute % DAY) / HOUR > 2 && (minute % DAY) / HOUR < 23,
  });
  const estate = service.world.addEstate("week", objects);
  const submitted = service.jobs.submit(
    {
      source: { bucket: estate.source, prefix: "image/" },
      target: { bucket: estate.target, prefix: "avatar/" },
      references: [{ database: "app", table: estate.table, key: "id", column: "path" }],
      limits: { requestsPerSecond: 6, concurrency: 4 },
      batchSize: 10_000,
      ...job,
    },
    { idempotencyKey: null, actor: "operator" },
  );
  await service.clock.runUntil(service.clock.now() + 1000);
  return { service, id: (await submitted).job.id };
}

/** Looks every so often until the job has ended. */
async function watched({ jobs, clock }: SimulatedService, id: string, everyMs: number) {
  const shown: Shown[] = [];
  for (;;) {
    await clock.runUntil(clock.now() + everyMs);
    const { finishAt, finishOpenings: openings, finishedAt, planDone, state } = await jobs.get(id);
    if (finishedAt !== null) return { shown, state, endedAt: Date.parse(finishedAt) };
    const finish = finishAt === null ? null : Date.parse(finishAt);
    shown.push({ at: clock.now(), finishAt: finish, openings, planDone });
  }
}

/** How far off what was shown was, as a share of the time that was left. */
function errors(shown: readonly Shown[], endedAt: number): number[] {
  return shown.flatMap(({ at: time, finishAt }) =>
    finishAt === null ? [] : [Math.abs(finishAt - endedAt) / (endedAt - time)],
  );
}

describe("the finish time, once something was copied and all is planned or counted,", () => {
  it.each([
    ["of a job of seven nights that is planned in five", { ...END, batchSize: 1000 }, 40_000],
    // Batches of a thousand are planned just ahead of the copies, those of ten thousand all at once.
    ["of one whose sources are kept for a day", { delete: { when: "verified", after: "24h" } }, 20_000],
    ["of one that keeps its sources", { delete: { when: "never" } }, 20_000],
  ])(
    "%s is within 10 %%, in and out of its windows",
    async (_, job, objects) => {
      const { service, id } = await begun(objects, { windows: NIGHTS, ...job });
      const { shown, state, endedAt } = await watched(service, id, 23 * 60_000);
      await service.close();
      expect(state).toBe("completed");
      // The first opening, in which its work begins, is ten minutes after its submission.
      const known = shown.slice(1);
      expect(known.length).toBeGreaterThan(100);
      expect(known.filter(({ finishAt }) => finishAt === null)).toEqual([]);
      // Of the last hour only minutes are left, in which rounding to a batch is more than a tenth.
      const telling = known.filter(({ at: time }) => endedAt - time > HOUR);
      expect(Math.max(...errors(telling, endedAt))).toBeLessThan(0.1);
      expect(known[0]?.openings).toBeGreaterThanOrEqual(2);
      const unplanned = known.filter(({ planDone }) => !planDone).length;
      if ("batchSize" in job) expect(unplanned).toBeGreaterThan(known.length / 2);
    },
    120_000,
  );

  it("is not known after a restart until something moves, nor while an approval is missing", async () => {
    const { service, id } = await begun(9000, { windows: NIGHTS, delete: { when: "approved", after: "0s" } });
    await service.clock.runUntil(cairo("2026-03-02 02:10"));
    expect((await service.jobs.get(id)).finishAt).toBeNull();
    await service.jobs.act(id, "approve", "operator");
    expect((await service.jobs.get(id)).finishAt).not.toBeNull();
    await service.clock.runUntil(cairo("2026-03-02 12:00"));
    expect((await service.jobs.get(id)).finishAt).not.toBeNull();
    await service.restart();
    await service.clock.runUntil(cairo("2026-03-02 13:00"));
    expect((await service.jobs.get(id)).finishAt).toBeNull();
    await service.clock.runUntil(cairo("2026-03-03 02:01"));
    expect((await service.jobs.get(id)).finishAt).not.toBeNull();
    await service.close();
  }, 60_000);
});
