/** What must be true of a fortnight that was lived through: seen by store and table, and by an operator who asked. */

import { describe, expect, it } from "vitest";
import { at } from "./clocks/wall-clock.ts";
import type { Fortnight, Move } from "./worlds/fortnight.ts";

/** Registers the tests; `lived` gives the fortnight once it is over. */
export function expectFortnight(lived: () => Fortnight): void {
  describe.each(["big", "small"] as const)("the %s job", (which) => {
    const move = (): Move => lived()[which];

    it("began nothing outside its windows, in a pause or on a busy database, deleted nothing unapproved, kept its limits", () => {
      expect(move().witness.faults).toEqual([]);
    });

    it("moved every object once and changed every row once", () => {
      const { estate, view } = move();
      const { copied, deleted, changed, size } = estate;
      for (const counts of [copied, deleted, changed])
        expect(counts.every((count) => count === 1)).toBe(true);
      expect(view.objects).toMatchObject({ planned: size, moved: size, skipped: 0, exceptions: 0 });
      expect(view.rows.updated).toBe(size);
      expect(view).toMatchObject({ state: "completed", reason: null });
    });

    it("always named a reason when nothing moved", () => {
      expect(move().silent).toEqual([]);
    });
  });

  it("took both changes of clocks and nearly all of the fortnight", () => {
    const { big, small } = lived();
    expect(endOf(big)).toBeGreaterThan(at("Europe/Berlin", "2026-11-01 02:15"));
    expect(endOf(small)).toBeGreaterThan(at("America/New_York", "2026-11-01 01:00"));
  });

  it("told from the second night on when it would be done, within 10 %, though all was planned only in the last", () => {
    const { small } = lived();
    const end = endOf(small);
    const told = small.told.filter(({ at: time }) => time > at("America/New_York", "2026-10-21 00:00"));
    const early = told.filter(({ at: time }) => time < end - 12 * 3_600_000);
    expect(early.length).toBeGreaterThan(1000);
    expect(early.filter(({ finishAt }) => finishAt === null)).toEqual([]);
    const off = early.map(({ at: time, finishAt }) => Math.abs((finishAt ?? 0) - end) / (end - time));
    expect(Math.max(...off)).toBeLessThan(0.1);
    expect(early.filter(({ planDone }) => !planDone).length / early.length).toBeGreaterThan(0.75);
  });

  it("used its limit of an ordinary night, and all of the night with the doubled hour", () => {
    const { perNight, limit, minutes } = lived();
    const of = (night: string) => perNight.get(night) ?? 0;
    const full = limit * minutes * 60;
    expect(of("2026-10-20") / full).toBeGreaterThan(0.95);
    expect(of("2026-10-25") / (1.5 * full * 2)).toBeGreaterThan(0.95);
    expect(of("2026-10-30")).toBe(0);
  });

  it("was rejected next to nothing by a bucket that took less than the limit", () => {
    const { rejected } = lived();
    expect(rejected.length).toBe(2);
    for (const share of rejected) expect(share).toBeLessThanOrEqual(0.01);
  });

  it("waited for its windows, for the busy database and for the approval, and said so", () => {
    const { big } = lived();
    expect([...big.reasons].sort()).toEqual(expect.arrayContaining(["database", "window"]));
  });
}

function endOf({ view }: Move): number {
  return Date.parse(view.finishedAt ?? "");
}
