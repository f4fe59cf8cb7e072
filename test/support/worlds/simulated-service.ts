/** A whole Tranship in simulated time: the real service and a real ledger around a clock, stores and tables made up. */

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ServiceEngine } from "../../../src/engines/service-engine.ts";
import type { JobParts } from "../../../src/jobs/job-parts.ts";
import type { Jobs } from "../../../src/jobs/jobs.ts";
import { BucketGovernors } from "../../../src/jobs/run/bucket-governors.ts";
import { Scheduler } from "../../../src/jobs/run/scheduler.ts";
import { createJobs } from "../../../src/jobs/submit/create-jobs.ts";
import type { Ledger } from "../../../src/ports/ledger.ts";
import { openLedger } from "../../../src/stores/ledger/open-ledger.ts";
import { luxonCalendar } from "../../../src/stores/luxon-calendar.ts";
import { csvManifest } from "../../../src/stores/manifest/csv-manifest.ts";
import { untilIdle, VirtualClock } from "../clocks/virtual-clock.ts";
import { SimulatedWorld } from "./simulated-world.ts";

const MINUTE = 60_000;

export interface SimulatedService {
  readonly clock: VirtualClock;
  readonly world: SimulatedWorld;
  readonly jobs: Jobs;
  /** A process that stops and one that starts. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export interface SimulatedServiceOptions {
  readonly now: number;
  threadsRunning?(at: number): number;
  /** Whether nothing may happen in the minute that begins at `at`; then timers need not be exact. */
  isIdle?(at: number): boolean;
}

/** Starts a service whose time is `options.now`; move it by `clock.runUntil`. */
export async function openSimulatedService(options: SimulatedServiceOptions): Promise<SimulatedService> {
  // In memory where there is such a place: tens of thousands of heartbeats need not wait for a disk.
  const directory = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "tranship-simulated-"));
  const ledger = watched(await openLedger(`sqlite:${join(directory, "ledger.db")}`));
  const clock = new VirtualClock(options.now, "driven", ledger.settled);
  const world = new SimulatedWorld(clock, options.threadsRunning ?? (() => 2));
  const isIdle = options.isIdle ?? (() => false);
  clock.stalledUntil = (at) => {
    const minute = Math.floor(at / MINUTE) * MINUTE;
    // The machine dozes where nothing may happen for minutes: its timers fire late, all together. Around edges it does not.
    const around = [minute - MINUTE, minute, minute + MINUTE];
    return world.underWay === 0 && around.every(isIdle) ? minute + MINUTE : at;
  };
  const parts: JobParts = {
    clock,
    calendar: luxonCalendar,
    ledger: ledger.ledger,
    connections: world,
    governors: new BucketGovernors(),
    leaseMs: 10_000,
    copyEngine: (store, concurrency) => new ServiceEngine(store, concurrency),
    consignmentEngines: {},
    manifestReader: csvManifest,
  };
  let scheduler = startedScheduler(parts, 1);
  let jobs = createJobs(parts, scheduler);
  let starts = 1;
  const stop = async () => {
    const closed = scheduler.close();
    await clock.runUntil(clock.now() + 2000);
    await closed;
  };
  return {
    clock,
    world,
    get jobs() {
      return jobs;
    },
    async restart() {
      await stop();
      starts += 1;
      scheduler = startedScheduler(parts, starts);
      jobs = createJobs(parts, scheduler);
    },
    async close() {
      await stop();
      await ledger.ledger.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function startedScheduler(parts: JobParts, number: number): Scheduler {
  const silent = { info() {}, warn() {}, error() {} };
  const scheduler = new Scheduler(parts, `simulated/${number}`, silent);
  scheduler.start();
  return scheduler;
}

/** `ledger` itself, and when nothing is under way in it: simulated time stands still while it works. */
function watched(ledger: Ledger): { readonly ledger: Ledger; settled(): Promise<void> } {
  let pending = 0;
  const counted = new Proxy(ledger, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...given: unknown[]) => {
        const result: unknown = member.apply(target, given);
        if (!(result instanceof Promise)) return result;
        pending += 1;
        return result.finally(() => {
          pending -= 1;
        });
      };
    },
  });
  const settled = async () => {
    do await untilIdle();
    while (pending > 0);
  };
  return { ledger: counted, settled };
}
