/** What is not known of S3 Batch Operations, or differs from job to job: varied by a seed, and set by tests. */

import { seededRandom } from "../../../src/sandbox-s3/faults/faults.ts";
import { CAPTURED, type ReportStyle } from "./report-files.ts";

export interface BatchVariations {
  /** How long a job is `New`, `Preparing`, `Ready` and `Paused`, ms; 0: not at all. */
  readonly newMs: number;
  readonly preparingMs: number;
  readonly readyMs: number;
  readonly pausedMs: number;
  /** For how long after its creation DescribeJob does not know a job, and ListJobs does not list it, ms. */
  readonly unknownMs: number;
  readonly unlistedMs: number;
  /** How long a ClientRequestToken is remembered, ms. */
  readonly tokenMemoryMs: number;
  /** Invocations at once. */
  readonly concurrency: number;
  /** Tasks of one event at most. */
  readonly tasksPerEvent: number;
  /** How often a task that failed for the time being is tried again. */
  readonly redrives: number;
  /** Whether an error of the function counts as a temporary failure; otherwise as a permanent one. */
  readonly redrivesErrors: boolean;
  /** The share of tasks that are invoked twice. */
  readonly duplicates: number;
  readonly space: "%20" | "+";
  /** Whether a cancelled job ends before its last invocations have. */
  readonly endsBeforeInvocations: boolean;
  /** Whether DescribeJob gives the reason that UpdateJobStatus was given. */
  readonly tellsReason: boolean;
  /** From the job's end to its report, ms. */
  readonly reportDelayMs: number;
  readonly report: "whole" | "missing" | "torn" | "foreign" | "short";
  readonly style: ReportStyle;
}

/** One variation for each seed; nothing in it keeps a job from its end. */
export function variationsOf(seed: number): BatchVariations {
  const random = seededRandom(seed);
  const upTo = (most: number) => Math.floor(random() * (most + 1));
  const coin = () => random() < 0.5;
  return {
    newMs: upTo(30),
    preparingMs: upTo(50),
    readyMs: upTo(30),
    pausedMs: coin() ? upTo(50) : 0,
    unknownMs: coin() ? upTo(100) : 0,
    unlistedMs: 0,
    tokenMemoryMs: Number.POSITIVE_INFINITY,
    concurrency: 1 + upTo(15),
    tasksPerEvent: coin() ? 1 : 1 + upTo(9),
    redrives: upTo(3),
    redrivesErrors: coin(),
    duplicates: coin() ? 0.05 : 0,
    space: coin() ? "%20" : "+",
    endsBeforeInvocations: coin(),
    tellsReason: true,
    reportDelayMs: upTo(200),
    report: "whole",
    style: {
      columns: coin() ? "emitted" : "documented",
      newline: coin() ? "\r\n" : "\n",
      versionId: (["", "null", "\\N"] as const)[upTo(2)] ?? "",
      withManifestSum: coin(),
    },
  };
}

/** Quick, and as captured. */
export const PLAIN: BatchVariations = {
  ...variationsOf(1),
  newMs: 0,
  preparingMs: 1,
  readyMs: 0,
  pausedMs: 0,
  unknownMs: 0,
  concurrency: 8,
  tasksPerEvent: 1,
  redrives: 2,
  redrivesErrors: false,
  duplicates: 0,
  space: "%20",
  endsBeforeInvocations: false,
  reportDelayMs: 0,
  style: CAPTURED,
};
