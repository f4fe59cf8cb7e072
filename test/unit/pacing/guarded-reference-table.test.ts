/** A statement that was held confirms the lease before it is sent: the hold may have outlasted it. */

import { describe, expect, it } from "vitest";
import { DomainError } from "../../../src/domain/errors.ts";
import { DatabaseGuards } from "../../../src/pacing/database/database-guards.ts";
import type { Hold } from "../../../src/pacing/gate.ts";
import { InFlight } from "../../../src/pacing/in-flight.ts";
import { type ReferenceTable, unlimitedStatements } from "../../../src/ports/reference-table.ts";
import { VirtualClock } from "../../support/clocks/virtual-clock.ts";

const HOUR = 3_600_000;
const CHANGE = { from: "image/", to: "avatar/" };

function world(leaseEndsAt: number) {
  const clock = new VirtualClock(1_000_000, "free");
  const opensAt = clock.at + HOUR;
  const calls: [string, number][] = [];
  const shut: Hold = { reason: "window", until: opensAt, detail: "shut" };
  const table = {
    database: "app",
    /** Two statements, an hour apart. */
    rewrite: async (_values, _change, limiter = unlimitedStatements) => {
      for (let nth = 0; nth < 2; nth += 1) {
        await limiter(async () => void calls.push(["rewrite", clock.at]));
        clock.at += HOUR;
      }
      return { rows: 0, failures: [] };
    },
  } satisfies Partial<ReferenceTable> as unknown as ReferenceTable;
  const guards = new DatabaseGuards({
    clock,
    limits: null,
    observations: () => (at) => (at < opensAt ? shut : null),
    signal: new AbortController().signal,
    health: () => ({ database: "app", sample: () => Promise.reject(new Error("nobody asks")) }),
    onMissingRight: () => {},
  });
  const confirmLease = async () => {
    if (clock.at >= leaseEndsAt) throw new DomainError("lease_lost", "another has it");
  };
  const guarded = guards.guarded(table, "update", {
    inFlight: new InFlight(() => clock.now()),
    confirmLease,
  });
  return { clock, opensAt, calls, guards, table, guarded };
}

describe("a guarded table", () => {
  it("changes rows when the hold is over and the lease confirmed", async () => {
    const { guarded, calls, opensAt } = world(Number.POSITIVE_INFINITY);
    await guarded.rewrite(["image/a"], CHANGE);
    expect(calls).toEqual([
      ["rewrite", opensAt],
      ["rewrite", opensAt + HOUR],
    ]);
  });

  it("changes nothing more when the lease ended between two statements", async () => {
    const { guarded, calls, opensAt } = world(1_000_000 + 1.5 * HOUR);
    await expect(guarded.rewrite(["image/a"], CHANGE)).rejects.toMatchObject({ code: "lease_lost" });
    expect(calls).toEqual([["rewrite", opensAt]]);
  });

  it("waits no longer than the signal of its call allows", async () => {
    const { guards, table, calls, clock } = world(Number.POSITIVE_INFINITY);
    const over = new AbortController();
    const inFlight = new InFlight(() => clock.now());
    const guarded = guards.guarded(table, "update", { inFlight, signal: over.signal });
    over.abort();
    await expect(guarded.rewrite(["image/a"], CHANGE)).rejects.toMatchObject({ code: "stopped" });
    expect(calls).toEqual([]);
  });

  it("sends no further statement of a call once the job is to stop, though nothing else holds it back", async () => {
    const { guards, table, calls, clock, opensAt } = world(Number.POSITIVE_INFINITY);
    clock.at = opensAt;
    const stop = new AbortController();
    const inFlight = new InFlight(() => clock.now());
    const confirmLease = async () => {
      if (calls.length === 0) stop.abort();
    };
    const guarded = guards.guarded(table, "update", { inFlight, confirmLease, signal: stop.signal });
    await expect(guarded.rewrite(["image/a"], CHANGE)).rejects.toMatchObject({ code: "stopped" });
    expect(calls).toHaveLength(1);
  });

  it("changes nothing when the lease ended during the hold", async () => {
    const { guarded, calls, clock } = world(1_000_000 + HOUR / 2);
    await expect(guarded.rewrite(["image/a"], CHANGE)).rejects.toMatchObject({ code: "lease_lost" });
    expect(calls).toEqual([]);
    expect(clock.at).toBeGreaterThanOrEqual(1_000_000 + HOUR);
  });
});
