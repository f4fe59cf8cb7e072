/** How near a database is to its limits, and how much room that leaves between two statements. Pure. */

import type { DatabaseLimits } from "../../domain/job-spec.ts";
import type { HealthMeasure, HealthSample } from "../../ports/database-health.ts";

/** Below this part of a limit statements are not spread out at all. */
const EASY = 0.5;
/** What went above its limit holds until it is back at this part of it: a value that swings around does not flap. */
const EASED = 0.9;
/**
 * Longest gap between the beginnings of two statements, at the limit itself. A deletion reads every reference between
 * its looks and may not take 15 s over that, so a gap must stay well below.
 */
const LONGEST_GAP_MS = 2000;
/** Waiting transactions that count as a full load where no limit is set: they spread statements, and never hold. */
const USUAL_LOCK_WAITS = 8;
/** A statement up to this long needs no rest; one of twice this and longer gets one as long as itself. */
const SHORT_MS = 50;
/** No rest is longer; a single statement is given up after this time. */
const LONGEST_REST_MS = 30_000;

/** A measure against its limit. */
export interface Load {
  readonly measure: HealthMeasure;
  readonly value: number;
  readonly limit: number;
  /** 0 for an idle database, 1 at the limit, above 1 beyond it. */
  readonly load: number;
  /** Whether it may hold statements back altogether. */
  readonly waits: boolean;
}

/** The question itself is one thread that runs: an idle server shows 1. */
const LEAST: Readonly<Record<HealthMeasure, number>> = {
  threadsRunning: 1,
  replicaLagSeconds: 0,
  lockWaits: 0,
};

/** The loads of what was read and has a limit, in the order in which they are to be told. */
export function loadsOf(sample: HealthSample, limits: DatabaseLimits): readonly Load[] {
  const { threadsRunning, replicaLagSeconds, lockWaits } = sample;
  return [
    ...loadOf("threadsRunning", threadsRunning, limits.maxThreadsRunning),
    ...loadOf("replicaLagSeconds", replicaLagSeconds, limits.maxReplicaLagSeconds),
    ...loadOf(
      "lockWaits",
      lockWaits,
      limits.maxLockWaits ?? USUAL_LOCK_WAITS,
      (limits.maxLockWaits ?? null) !== null,
    ),
  ];
}

function loadOf(measure: HealthMeasure, value: number | null, limit: number | null, waits = true): Load[] {
  if (value === null || limit === null) return [];
  const above = Math.max(0, value - LEAST[measure]);
  const room = Math.max(0, limit - LEAST[measure]);
  const load = above === 0 ? 0 : above / room;
  return [{ measure, value, limit, load, waits }];
}

/** Whether `load` holds statements back, given whether it did so just now. */
export function isTripped({ load, waits }: Load, wasTripped: boolean): boolean {
  return waits && load > (wasTripped ? EASED : 1);
}

/** The largest value at which `load` lets go again. */
export function easedValue({ measure, limit }: Load): number {
  const least = LEAST[measure];
  const value = least + EASED * Math.max(0, limit - least);
  return measure === "replicaLagSeconds" ? Math.round(value * 100) / 100 : Math.floor(value);
}

/** Milliseconds between the beginnings of two statements at `load`: 0 up to a half, then more and more, 2 s at most. */
export function gapMs(load: number): number {
  const beyond = Math.min(1, Math.max(0, (load - EASY) / (1 - EASY)));
  return LONGEST_GAP_MS * beyond ** 2;
}

/**
 * How long the database is left alone after a statement of `ms`: as long as that took when it took 100 ms or more, so
 * that the job keeps it busy half of the time at most; nothing after 50 ms or less, and in between something in between.
 */
export function restMs(ms: number): number {
  return Math.min(LONGEST_REST_MS, Math.max(0, Math.min(ms, 2 * (ms - SHORT_MS))));
}
