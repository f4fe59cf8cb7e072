/** When an inventory is counted ahead, and what follows a failed count. */

import { describe, expect, it } from "vitest";
import { InventoryCount } from "../../../src/conveyor/inventory-count.ts";
import type { RunContext } from "../../../src/conveyor/run-context.ts";
import { DomainError, type ErrorCode } from "../../../src/domain/errors.ts";
import { Relocation } from "../../../src/domain/relocation.ts";
import { emptyTally } from "../../../src/domain/tally.ts";
import type { RateLimitedStore } from "../../../src/pacing/rate-limited-store.ts";
import type { ExpectedObjects, Ledger } from "../../../src/ports/ledger.ts";
import type { PlanContext, StageContexts } from "../../../src/stages/stage-contexts.ts";
import { VirtualClock } from "../../support/clocks/virtual-clock.ts";
import { AVATARS } from "../../support/job-spec.ts";
import { listedBucket } from "../../support/listed-bucket.ts";
import { only } from "../../support/only.ts";

const CURSOR = JSON.stringify({ position: "image/0", planned: 1 });

function begun(isKnown = false) {
  const clock = new VirtualClock(0);
  const stop = new AbortController();
  const keys = ["image/0", "image/1", "image/2", "image/3"];
  const bucket = listedBucket(keys, { page: 2, deliver: (answer) => answer() });
  const recorded: [ExpectedObjects, number][] = [];
  const failed: unknown[] = [];
  const failures: ErrorCode[] = [];
  const hold: { while?: Promise<unknown> } = {};
  const source = only<RateLimitedStore>({
    async list(request) {
      const code = failures.shift();
      if (code !== undefined) throw new DomainError(code, "no");
      await hold.while;
      return bucket.list(request);
    },
  });
  const plan: PlanContext = only<PlanContext>({
    ...{ spec: AVATARS, relocation: new Relocation(AVATARS), source, clock },
    filter: () => true,
    signal: stop.signal,
    /** Rejects when the signal aborts, as a throttled request does. */
    until: (signal) => {
      if ("while" in hold) hold.while = new Promise((_, reject) => signal.addEventListener("abort", reject));
      return { ...plan, signal };
    },
  });
  const run = only<RunContext>({
    ...{ clock, signal: stop.signal, lease: { jobId: "j", owner: "o", token: 1 } },
    ledger: only<Ledger>({
      expectObjects: async (_, objects, at) => void recorded.push([objects, at]),
    }),
    stages: only<StageContexts>({ plan }),
    tally: { ...emptyTally(), bytes: 7 },
    onCountFailed: (error) => void failed.push(error),
  });
  const inventoryCount = new InventoryCount(run, isKnown);
  return { clock, stop, bucket, recorded, failed, failures, hold, inventoryCount };
}

describe("an inventory", () => {
  it("is counted once, ten seconds after its first batch, from the last one on", async () => {
    const { clock, inventoryCount, recorded, bucket } = begun();
    await clock.runUntil(60_000);
    inventoryCount.planned(JSON.stringify({ position: "", planned: 0 }));
    await clock.runUntil(69_000);
    expect(bucket.asked).toEqual([]);
    inventoryCount.planned(CURSOR);
    await clock.runUntil(300_000);
    inventoryCount.planned(CURSOR);
    await clock.runUntil(600_000);
    expect(recorded).toEqual([[{ objects: 4, bytes: 7 + 3 * 7 }, 70_000]]);
    expect(bucket.asked.length).toBe(2);
    await inventoryCount.end();
  });

  it("is not counted when planning is soon over, nor when the job stops, nor again in a later run", async () => {
    for (const end of ["planning", "stop", "known"]) {
      const { clock, stop, inventoryCount, recorded, bucket } = begun(end === "known");
      inventoryCount.planned(CURSOR);
      await clock.runUntil(9000);
      if (end === "planning") inventoryCount.planningEnded();
      if (end === "stop") stop.abort();
      await clock.runUntil(100_000);
      expect([bucket.asked, recorded]).toEqual([[], []]);
      await inventoryCount.end();
    }
  });

  it("is not counted to its end when planning is over meanwhile", async () => {
    const { clock, inventoryCount, recorded, bucket, failed } = begun();
    inventoryCount.planned(CURSOR);
    const { list } = bucket;
    Object.assign(bucket, {
      list: (request: Parameters<typeof list>[0]) => {
        inventoryCount.planningEnded();
        return list(request);
      },
    });
    await clock.runUntil(100_000);
    await inventoryCount.end();
    expect([bucket.asked.length, recorded, failed]).toEqual([1, [], []]);
  });

  it("is counted anew a minute after a trouble that passes, and left alone after any other", async () => {
    const passing = begun();
    passing.failures.push("store_unavailable", "database_unavailable");
    passing.inventoryCount.planned(CURSOR);
    await passing.clock.runUntil(200_000);
    expect(passing.recorded.map(([, at]) => at)).toEqual([130_000]);
    expect(passing.failed.length).toBe(2);
    await passing.inventoryCount.end();

    const lasting = begun();
    lasting.failures.push("store_refused");
    lasting.inventoryCount.planned(CURSOR);
    await lasting.clock.runUntil(200_000);
    expect([lasting.recorded, lasting.failed.length]).toEqual([[], 1]);
    await lasting.inventoryCount.end();
  });

  it("is given up at the end of a job, whatever it waits for", async () => {
    const { clock, inventoryCount, hold, recorded, failed } = begun();
    hold.while = Promise.resolve();
    inventoryCount.planned(CURSOR);
    await clock.runUntil(100_000);
    inventoryCount.planningEnded();
    await inventoryCount.end();
    expect([recorded, failed]).toEqual([[], []]);
  });
});
