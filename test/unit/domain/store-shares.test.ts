/** How instances divide a store's limits, whatever they want and in whatever order they ask. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fairShares, nextShare, type WrittenShare } from "../../../src/domain/rates/store-shares.ts";

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

describe("fair shares", () => {
  const table: readonly [string, readonly [jobs: number, wants: number][], readonly number[]][] = [
    ["one alone has all of it", [[1, 0.1]], [1]],
    ["two that want all have half each", [[1, 1], [1, 1]], [0.5, 0.5]],
    ["jobs count, not instances", [[3, 1], [1, 1]], [0.75, 0.25]],
    ["what one does not want is the other's", [[1, 0.1], [1, 1]], [0.1, 0.9]],
    ["what nobody wants is divided by jobs", [[1, 0.1], [3, 0.1]], [0.3, 0.7]],
    ["the modest are served first, in rounds", [[1, 0.1], [1, 0.44], [1, 1]], [0.1, 0.44, 0.46]],
  ]; // biome-ignore format: a table
  it.each(table)("%s", (_, sharers, expected) => {
    const shares = fairShares(sharers.map(([jobs, wants]) => ({ jobs, wants })));
    expect(shares).toHaveLength(expected.length);
    for (const [index, share] of shares.entries()) expect(share).toBeCloseTo(expected[index] ?? -1, 9);
  });

  const sharers = fc.array(
    fc.record({ jobs: fc.integer({ min: 1, max: 8 }), wants: fc.double({ min: 0, max: 1, noNaN: true }) }),
    { minLength: 1, maxLength: 6 },
  );

  it("add up to the whole, and give nobody less than he wants or his jobs' part", () => {
    fc.assert(
      fc.property(sharers, (all) => {
        const shares = fairShares(all);
        expect(sum(shares)).toBeCloseTo(1, 9);
        const jobs = sum(all.map((sharer) => sharer.jobs));
        for (const [index, { jobs: own, wants }] of all.entries()) {
          expect(shares[index] ?? 0).toBeGreaterThanOrEqual(Math.min(wants, own / jobs) - 1e-9);
        }
      }),
    );
  });
});

describe("instances that ask in any order", () => {
  interface Instance {
    readonly owner: string;
    /** What its limits let go at this moment; what it has written down is never less. */
    used: number;
    readonly jobs: number;
    readonly wants: number;
  }

  /** One round of `instance`, as a process makes it: asks, and if it is due less, uses less and then says so. */
  function round(instance: Instance, written: Map<string, WrittenShare>): void {
    const others = [...written.values()].filter(({ owner }) => owner !== instance.owner);
    const own = { ...instance, share: instance.used };
    const { share, due, isTooMuch } = nextShare(own, others);
    instance.used = isTooMuch ? due : share;
    written.set(instance.owner, { ...own, share: instance.used, beat: 0 });
  }

  const instances = fc.array(
    fc.record({ jobs: fc.integer({ min: 1, max: 4 }), wants: fc.constantFrom(0.05, 0.3, 1) }),
    { minLength: 1, maxLength: 5 },
  );

  it("never use more than the whole together, and soon have what is due to them", () => {
    fc.assert(
      fc.property(instances, fc.array(fc.nat(4), { maxLength: 40 }), (drawn, order) => {
        const all = drawn.map((one, index): Instance => ({ ...one, owner: `${index}`, used: 0 }));
        const written = new Map<string, WrittenShare>();
        const total = () => sum(all.map(({ used }) => used));
        for (const index of order) {
          round(all[index % all.length] as Instance, written);
          expect(total()).toBeLessThanOrEqual(1 + 1e-9);
        }
        for (let again = 0; again < 3; again += 1) for (const instance of all) round(instance, written);
        const fair = fairShares(all);
        for (const [index, { used }] of all.entries()) {
          expect(Math.abs(used - (fair[index] ?? 0))).toBeLessThanOrEqual(0.06);
        }
      }),
    );
  });

  it("make room for one more, however many they are", () => {
    const written = new Map<string, WrittenShare>();
    const instance = (owner: string, jobs: number): Instance => ({ owner, used: 0, jobs, wants: 1 });
    const all = Array.from({ length: 8 }, (_, index) => instance(`${index}`, 8));
    for (let again = 0; again < 3; again += 1) for (const one of all) round(one, written);
    const newcomer = instance("newcomer", 1);
    for (let again = 0; again < 3; again += 1) for (const one of [newcomer, ...all]) round(one, written);
    expect(newcomer.used).toBeCloseTo(1 / 65, 3);
    expect(sum([newcomer, ...all].map(({ used }) => used))).toBeLessThanOrEqual(1 + 1e-9);
  });
});
