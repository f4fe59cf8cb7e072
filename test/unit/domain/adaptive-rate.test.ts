/**
 * The whole way from a job's request to the bucket and back in virtual time: how much of what a bucket allows is used,
 * and how much it has to reject. Every figure is counted at the bucket.
 */

import { describe, expect, it } from "vitest";
import { RateLimit } from "../../../src/domain/rates/rate-limit.ts";
import { Simulation } from "../../support/worlds/throttled-bucket.ts";

/** Of seconds `from`–`to`: the share of `allowed` writes a second that was used, and of requests that were rejected. */
function shares(simulation: Simulation, from: number, to: number, allowed: number) {
  const { granted, requests, rejected } = simulation.sums(from, to);
  return { used: granted / (allowed * (to - from)), rejected: rejected / requests };
}

function expectGood({ used, rejected }: { used: number; rejected: number }): void {
  expect(used).toBeGreaterThanOrEqual(0.97);
  expect(rejected).toBeLessThanOrEqual(0.01);
}

describe("a bucket that allows a thousand writes a second", () => {
  it.each([
    [64, 20],
    [128, 20],
    [256, 20],
    [64, 5],
    [256, 100],
  ])(
    "is used by %i copies at once that take %i ms, and rejects next to nothing",
    async (copiers, latencyMs) => {
      const simulation = new Simulation(1000, latencyMs);
      simulation.copyWith(copiers);
      await simulation.run(60);
      expectGood(shares(simulation, 5, 60, 1000));
      // The first rejections are few as well.
      expect(simulation.sums(0, 5).rejected).toBeLessThan(300);
      await simulation.end();
    },
  );

  it.each([64, 256])("is used by %i copies at once and bulk deletions together", async (copiers) => {
    const simulation = new Simulation(1000, 20);
    const job = simulation.job();
    simulation.copyWith(copiers, job);
    simulation.deleteWith(3, job);
    await simulation.run(60);
    expectGood(shares(simulation, 5, 60, 1000));
    await simulation.end();
  });

  it("is used by two jobs, which share it equally", async () => {
    const simulation = new Simulation(1000, 20);
    const jobs = [simulation.job(), simulation.job()] as const;
    simulation.copyWith(32, jobs[0]);
    simulation.copyWith(256, jobs[1]);
    await simulation.run(60);
    expectGood(shares(simulation, 5, 60, 1000));
    await simulation.end();
    const [few, many] = [simulation.sentBy(jobs[0]), simulation.sentBy(jobs[1])];
    expect(few / many).toBeGreaterThan(0.9);
    expect(few / many).toBeLessThan(1.1);
  });

  it("is used by a job whose event loop stalls for 50 ms at a time", async () => {
    const simulation = new Simulation(1000, 20);
    simulation.clock.stalledUntil = (at) => (at % 400 < 50 ? at - (at % 400) + 50 : at);
    simulation.copyWith(128);
    await simulation.run(60);
    expectGood(shares(simulation, 5, 60, 1000));
    await simulation.end();
  });

  it("is not flooded after a time without demand for all of it", async () => {
    const simulation = new Simulation(1000, 20);
    const limit = new RateLimit(null);
    simulation.copyWith(256, simulation.job([limit]));
    await simulation.run(20);
    limit.setRate(300, simulation.clock.now());
    await simulation.run(80);
    limit.setRate(null, simulation.clock.now());
    await simulation.run(100);
    expectGood(shares(simulation, 80, 100, 1000));
    await simulation.end();
  });

  it("that allows three thousand from some moment on is used to that within 10 to 20 seconds", async () => {
    const simulation = new Simulation(1000, 20);
    simulation.copyWith(256);
    await simulation.run(20);
    simulation.allow(3000);
    await simulation.run(60);
    expectGood(shares(simulation, 35, 60, 3000));
    await simulation.end();
  });
});

describe("a bucket that allowed three thousand writes a second", () => {
  it("and allows only a thousand is known to within two seconds", async () => {
    const simulation = new Simulation(3000, 20);
    simulation.copyWith(256);
    await simulation.run(20);
    simulation.allow(1000);
    await simulation.run(50);
    expect(simulation.sums(20, 22).rejected).toBeLessThan(500);
    expectGood(shares(simulation, 22, 50, 1000));
    await simulation.end();
  });

  it("and answers nothing but 503 for minutes gets few requests, fails none, and is used again soon afterwards", async () => {
    const simulation = new Simulation(3000, 20);
    simulation.copyWith(128);
    await simulation.run(20);
    simulation.allow(1e-9);
    await simulation.run(200);
    expect(simulation.sums(22, 200).requests).toBeLessThan(1000);
    simulation.allow(3000);
    await simulation.run(250);
    // Half of the former rate at once, the rest as after any rejection.
    expect(shares(simulation, 203, 206, 3000).used).toBeGreaterThan(0.4);
    expectGood(shares(simulation, 220, 250, 3000));
    expect(simulation.failures).toEqual([]);
    await simulation.end();
  });
});

describe("other buckets", () => {
  it.each([
    [20, 64],
    [50, 128],
    [3500, 256],
    [6000, 256],
  ])("that allow %i writes a second are used as well", async (allowed, copiers) => {
    const simulation = new Simulation(allowed, 20);
    simulation.copyWith(copiers);
    await simulation.run(40);
    expectGood(shares(simulation, 5, 40, allowed));
    await simulation.end();
  });

  it("that allow one a second, and a hundred from some moment on, are used to that within a minute and a half", async () => {
    const simulation = new Simulation(1, 20);
    simulation.copyWith(16);
    await simulation.run(160);
    simulation.allow(100);
    await simulation.run(280);
    expectGood(shares(simulation, 250, 280, 100));
    await simulation.end();
  });

  it("without any limit are not slowed down", async () => {
    const simulation = new Simulation(1e6, 20);
    simulation.copyWith(256);
    await simulation.run(5);
    // 256 at once, each about 20 ms: 12,800 a second at the very best.
    expect(simulation.sums(1, 5).granted / 4).toBeGreaterThan(0.9 * 11_600);
    expect(simulation.sums(0, 1).granted).toBeGreaterThan(0.75 * 11_600);
    expect(simulation.governor.perSecond).toBeNull();
    expect(simulation.governor.bulkKeys).toBe(1000);
    await simulation.end();
  });

  it("are used no faster than the job's own limit allows", async () => {
    const simulation = new Simulation(1000, 20);
    simulation.copyWith(128, simulation.job([new RateLimit(300)]));
    await simulation.run(30);
    const { used, rejected } = shares(simulation, 1, 30, 300);
    expect(rejected).toBe(0);
    expect(used).toBeGreaterThanOrEqual(0.95);
    expect(used).toBeLessThanOrEqual(1.05);
    await simulation.end();
  });
});
