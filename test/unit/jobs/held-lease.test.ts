/** `HeldLease`: when a renewal is due, and which checks call the ledger. */

import { expect, it } from "vitest";
import { HeldLease } from "../../../src/jobs/run/held-lease.ts";
import type { JobRecord, Ledger, RunReport } from "../../../src/ports/ledger.ts";
import { HandClock } from "../../support/clocks/hand-clock.ts";
import { VirtualClock } from "../../support/clocks/virtual-clock.ts";

function held(leaseMs: number) {
  const clock = new VirtualClock(1_000_000, "free");
  const ledger = { renew: async () => ({}) as JobRecord } as unknown as Ledger;
  const lease = new HeldLease({ clock, ledger, leaseMs }, { jobId: "j", owner: "o", token: 1 });
  let asked = 0;
  const confirm = (mostMs: number) =>
    lease.confirm(mostMs, async () => {
      asked += 1;
      await lease.renew({} as RunReport);
    });
  return { clock, lease, confirm, asked: () => asked };
}

it.each([
  [2_000, 200],
  [5_000, 500],
  [10_000, 1_000],
  [60_000, 1_000],
])(
  "of %i ms is prolonged every %i ms: often enough, and operators are heard within a second",
  (leaseMs, ms) => {
    expect(held(leaseMs).lease.heartbeatMs).toBe(ms);
  },
);

it("is outdated when its whole length has passed since it was prolonged", async () => {
  const { clock, lease } = held(10_000);
  clock.at += 10_000;
  expect(lease.isOutdated).toBe(false);
  clock.at += 1;
  expect(lease.isOutdated).toBe(true);
  await lease.renew({} as RunReport);
  expect(lease.isOutdated).toBe(false);
});

it("is asked for only when the last answer is too old, and once for all who want to know", async () => {
  const { clock, confirm, asked } = held(10_000);
  clock.at += 5_000;
  await confirm(5_000);
  expect(asked()).toBe(0);
  clock.at += 1;
  await Promise.all([confirm(5_000), confirm(5_000), confirm(5_000)]);
  expect(asked()).toBe(1);
  clock.at += 5_001;
  await confirm(5_000);
  expect(asked()).toBe(2);
});

it("counts as outdated once the clock was set back to before it was prolonged, and is asked for", async () => {
  const { clock, lease, confirm, asked } = held(10_000);
  await lease.renew({} as RunReport);
  clock.at -= 1;
  expect(lease.isOutdated).toBe(true);
  await confirm(10_000);
  expect(asked()).toBe(1);
  expect(lease.isOutdated).toBe(false);
});

it("counts as outdated when its length has passed, though the clock was set back meanwhile", () => {
  const clock = new HandClock("stands");
  const lease = new HeldLease(
    { clock, ledger: {} as Ledger, leaseMs: 10_000 },
    { jobId: "j", owner: "o", token: 1 },
  );
  clock.advance(12_000);
  clock.setWall(-5_000);
  expect(lease.isOutdated).toBe(true);
});
