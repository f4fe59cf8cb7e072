/** How near a database is to its limits, and the gap between two statements that follows from that. Pure. */

import type { DatabaseLimits } from "../../domain/job-spec.ts";
import type { HealthMeasure, HealthSample } from "../../ports/database-health.ts";

/** Up to this part of a limit statements are not spaced out. */
const SPACED_FROM = 0.5;
/** A measure that exceeded its limit holds statements until it is back at this part of it: hysteresis against flapping. */
const RELEASED_AT = 0.9;
/**
 * Longest gap between the beginnings of two statements, at the limit itself. A deletion queries every reference between its
 * checks and may not take 15 s over that, so a gap must stay well below.
 */
const LONGEST_GAP_MS = 2000;
/** Waiting transactions that count as a full load where no limit is set: they space statements out, and never hold them. */
const USUAL_LOCK_WAITS = 8;
/** A statement up to this long is followed by no rest; one of twice this and longer by a rest as long as itself. */
const SHORT_MS = 50;
/** Longest rest; a single statement is aborted after this time. */
const LONGEST_REST_MS = 30_000;

/** A measure against its limit. */
export interface Load {
  readonly measure: HealthMeasure;
  readonly value: number;
  readonly limit: number;
  /** 0 for an idle database, 1 at the limit, above 1 beyond it. */
  readonly load: number;
  /** Whether it may hold statements; else it only spaces them out. */
  readonly mayHold: boolean;
}

/** Values of an idle server: the sampling query itself is one running thread. */
const LEAST: Readonly<Record<HealthMeasure, number>> = {
  threadsRunning: 1,
  replicaLagSeconds: 0,
  lockWaits: 0,
};

/** The loads of the measures that were read and have a limit, in order of importance to the operator. */
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

function loadOf(measure: HealthMeasure, value: number | null, limit: number | null, mayHold = true): Load[] {
  if (value === null || limit === null) return [];
  const above = Math.max(0, value - LEAST[measure]);
  const range = Math.max(0, limit - LEAST[measure]);
  const load = above === 0 ? 0 : above / range;
  return [{ measure, value, limit, load, mayHold }];
}

/** Whether `load` holds statements, given whether it did at the last check. */
export function isTripped({ load, mayHold }: Load, wasTripped: boolean): boolean {
  return mayHold && load > (wasTripped ? RELEASED_AT : 1);
}

/** The largest value at which `load` holds no longer. */
export function releaseValue({ measure, limit }: Load): number {
  const least = LEAST[measure];
  const value = least + RELEASED_AT * Math.max(0, limit - least);
  return measure === "replicaLagSeconds" ? Math.round(value * 100) / 100 : Math.floor(value);
}

/** Milliseconds between the beginnings of two statements at `load`: 0 up to a half, then growing quadratically to 2 s at 1. */
export function gapMs(load: number): number {
  const beyond = Math.min(1, Math.max(0, (load - SPACED_FROM) / (1 - SPACED_FROM)));
  return LONGEST_GAP_MS * beyond ** 2;
}

/**
 * How long no statement begins after one of `ms`: as long as that took when it took 100 ms or more, so that the job keeps
 * the database busy half of the time at most; 0 after 50 ms or less, and linear in between.
 */
export function restMs(ms: number): number {
  return Math.min(LONGEST_REST_MS, Math.max(0, Math.min(ms, 2 * (ms - SHORT_MS))));
}
