/** How processes divide a store's limit: by jobs, and never more than the whole together, in whatever order they ask. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nextShare, type ShareEntry } from "../../../src/domain/rates/store-shares.ts";

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

describe("the next share of a process", () => {
  type Entry = readonly [jobs: number, share: number];
  const table: readonly [string, Entry, readonly Entry[], due: number, share: number][] = [
    ["alone it has the whole limit", [1, 0], [], 1, 1],
    ["of two with a job each it has half", [1, 0], [[1, 0.5]], 1 / 2, 1 / 2],
    ["jobs count, not processes", [3, 0], [[1, 0.25]], 3 / 4, 3 / 4],
    ["it has nothing while others hold everything", [1, 0], [[1, 1]], 1 / 2, 0],
    ["it grows into what is free", [1, 0.1], [[1, 0.8]], 1 / 2, 0.2],
    ["it is not written as less than what is used", [1, 1], [[1, 0]], 1 / 2, 1],
  ]; // biome-ignore format: a table
  it.each(table)("%s", (_, [jobs, share], others, due, expected) => {
    const next = nextShare(
      { jobs, share },
      others.map(([otherJobs, otherShare]) => ({ jobs: otherJobs, share: otherShare })),
    );
    expect(next.due).toBeCloseTo(due, 9);
    expect(next.share).toBeCloseTo(expected, 9);
  });
});

describe("processes that ask in any order", () => {
  interface Process {
    readonly owner: string;
    readonly jobs: number;
    /** What its limits allow at this moment; its entry is never less. */
    used: number;
  }

  /** One confirmation, as a process makes it: a process to which less is due uses less and then writes that. */
  function confirm(process: Process, entries: Map<string, ShareEntry>): void {
    const { owner, jobs } = process;
    const others = [...entries.values()].filter((entry) => entry.owner !== owner);
    const { due, share } = nextShare({ jobs, share: process.used }, others);
    process.used = Math.min(share, due);
    entries.set(owner, { owner, jobs, share: process.used, beat: 0 });
  }

  const counts = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 });

  it("never use more than the whole together, and soon have their jobs' parts", () => {
    fc.assert(
      fc.property(counts, fc.array(fc.nat(4), { maxLength: 40 }), (jobs, order) => {
        const all = jobs.map((count, index): Process => ({ owner: `${index}`, jobs: count, used: 0 }));
        const entries = new Map<string, ShareEntry>();
        for (const index of order) {
          confirm(all[index % all.length] as Process, entries);
          expect(sum(all.map(({ used }) => used))).toBeLessThanOrEqual(1 + 1e-9);
        }
        for (let again = 0; again < 3; again += 1) for (const process of all) confirm(process, entries);
        for (const process of all) expect(process.used).toBeCloseTo(process.jobs / sum(jobs), 9);
      }),
    );
  });

  it("make room for one more, however many they are", () => {
    const entries = new Map<string, ShareEntry>();
    const process = (owner: string, jobs: number): Process => ({ owner, jobs, used: 0 });
    const all = Array.from({ length: 8 }, (_, index) => process(`${index}`, 8));
    for (let again = 0; again < 3; again += 1) for (const one of all) confirm(one, entries);
    const newcomer = process("newcomer", 1);
    for (let again = 0; again < 3; again += 1) for (const one of [newcomer, ...all]) confirm(one, entries);
    expect(newcomer.used).toBeCloseTo(1 / 65, 9);
    expect(sum([newcomer, ...all].map(({ used }) => used))).toBeLessThanOrEqual(1 + 1e-9);
  });
});
