/** How many rows a statement may change: in no second too many, nearly all that are allowed, in few statements. */

import { describe, expect, it } from "vitest";
import { RateLimit } from "../../../src/domain/rates/rate-limit.ts";
import { allowedRows } from "../../../src/stages/allowed-rows.ts";
import type { RowsContext } from "../../../src/stages/stage-contexts.ts";
import { mostInASecond } from "../../support/arrivals.ts";
import { untilIdle, VirtualClock } from "../../support/clocks/virtual-clock.ts";
import { only } from "../../support/only.ts";

const LATE_MS = 30;

function opened(perSecond: number | null, databasesReady = async () => {}) {
  const clock = new VirtualClock(1_000_000, "free");
  const rowLimit = new RateLimit(perSecond, LATE_MS);
  const stop = new AbortController();
  const whileRateLimited = (wait: () => Promise<void>) => wait();
  const context = only<RowsContext>({
    clock,
    rowLimit,
    databasesReady,
    whileRateLimited,
    signal: stop.signal,
  });
  return { clock, rowLimit, stop, context };
}

/** The statements of batch after batch for `seconds`: when each reaches the database, every other one late, and its rows. */
async function statements(perSecond: number, batch: number, seconds: number) {
  const { clock, context } = opened(perSecond);
  const sent: { readonly at: number; readonly rows: number }[] = [];
  const until = clock.at + seconds * 1000;
  for (let left = batch; clock.at < until; ) {
    const rows = await allowedRows(context, left);
    sent.push({ at: clock.at + (sent.length % 2) * LATE_MS, rows });
    left = left === rows ? batch : left - rows;
  }
  return sent.sort((one, other) => one.at - other.at);
}

describe("rows that a statement may change", () => {
  it.each([
    [730, 1000],
    [1000, 300],
    [5000, 1000],
    [5000, 999],
    [7, 1000],
    [1, 10],
  ])("of %d a second, in batches of %d: in no second too many, and nearly all", async (limit, batch) => {
    const sent = await statements(limit, batch, 20);
    const most = mostInASecond(
      sent.map(({ at }) => at),
      (nth) => sent[nth]?.rows ?? 0,
    );
    expect(most).toBeLessThanOrEqual(Math.max(limit, limit * 1.05));
    const later = sent.slice(1);
    const rows = later.reduce((sum, one) => sum + one.rows, 0);
    expect(rows).toBeGreaterThanOrEqual(0.95 * limit * (20 - 0.2) - 1);
  });

  it.each([
    [5000, 1],
    [2500, 2],
    [1000, 5],
  ])("of %d a second are changed a thousand in %d statements, or one more", async (limit, count) => {
    const sent = await statements(limit, 1000, 20);
    const batches = sent.reduce((sum, { rows }) => sum + rows, 0) / 1000;
    expect(sent.length / batches).toBeLessThanOrEqual(count + 1);
  });

  it("are all where there is no limit, or a far one", async () => {
    expect(await allowedRows(opened(null).context, 1000)).toBe(1000);
    expect(await allowedRows(opened(5000).context, 1000)).toBe(1000);
  });

  it("are counted only when the database is ready for them", async () => {
    let isReady = () => {};
    const ready = new Promise<void>((resolve) => {
      isReady = resolve;
    });
    const { context, rowLimit, clock } = opened(100, () => ready);
    const asked = allowedRows(context, 20);
    await untilIdle();
    expect(rowLimit.capacityAt(clock.at)).toBe(101);
    isReady();
    expect(await asked).toBe(20);
    expect(rowLimit.capacityAt(clock.at)).toBe(81);
  });

  it("are not waited for any more by a job that is asked to stop", async () => {
    const { context, stop } = opened(1);
    await allowedRows(context, 1);
    stop.abort();
    await expect(allowedRows(context, 1)).rejects.toMatchObject({ code: "stopped" });
  });

  it("are more at once when the limit is raised meanwhile", async () => {
    const { context, rowLimit, clock } = opened(0.01);
    await allowedRows(context, 1);
    const asked = allowedRows(context, 50);
    rowLimit.setRate(10_000, clock.at);
    expect(await asked).toBe(50);
  });
});
