/** Runs of the database measurement, and the figures that are read of them. */

import { type Latencies, medianOf } from "./latencies.ts";

/** What goes on beside the application. */
export type Situation = "idle" | "job without references" | "job with its reference" | "per-row script";

/** One measured run. */
export interface SituationRun {
  readonly situation: Situation;
  /** Of the application. */
  readonly latencies: Latencies;
  readonly readLatencies: Latencies;
  readonly changeLatencies: Latencies;
  /** Objects moved, or rows changed by the script, a second; 0 when idle. */
  readonly objectsPerSecond: number;
  /** For 1,000 objects, as Tranship counts them (`test/integration/statement-count.test.ts` checks that); the script sends two each. */
  readonly statementsPerThousand: number;
  /** Of the rewriting statements, commit included, by the server's own log. */
  readonly rewrites: Latencies;
  /** Of the reading statements. */
  readonly reads: Latencies;
  /** CPU used while it was measured, in cores: where they add up to the machine's, everything waits for everything. */
  readonly cores: { readonly mariadb: number; readonly service: number; readonly store: number };
}

export interface DatabaseFigures {
  /** By situation, medians over the rounds. */
  readonly situations: Readonly<Record<Situation, SituationRun>>;
  /** p99 with the job's reference ÷ p99 of the same job without references. Budget: ≤ 1.25. */
  readonly p99Ratio: number;
  /** p99 beside the per-row script ÷ p99 beside the job without references. */
  readonly scriptP99Ratio: number;
  /** The longest rewriting statement of all rounds, in milliseconds. Budget: ≤ 50. */
  readonly longestRewriteMs: number;
  readonly runs: readonly SituationRun[];
}

export const SITUATIONS: readonly Situation[] = [
  "idle",
  "job without references",
  "job with its reference",
  "per-row script",
];
/** Medians by situation, and the ratios that the budgets are about. */
export function figuresOf(runs: readonly SituationRun[]): DatabaseFigures {
  const medians = Object.fromEntries(
    SITUATIONS.map((situation) => [situation, medianRun(runs.filter((run) => run.situation === situation))]),
  ) as Record<Situation, SituationRun>;
  const p99 = (situation: Situation) => medians[situation].latencies.p99;
  const rewrites = runs.map((run) => run.rewrites.max);
  return {
    situations: medians,
    p99Ratio: p99("job with its reference") / p99("job without references"),
    scriptP99Ratio: p99("per-row script") / p99("job without references"),
    longestRewriteMs: Math.max(...rewrites),
    runs,
  };
}

/** Each figure's own median; the longest of all remains the longest. */
function medianRun(runs: readonly SituationRun[]): SituationRun {
  const [first] = runs;
  if (first === undefined) throw new RangeError("no run to take the median of");
  const of = (figure: (run: SituationRun) => number) => medianOf(runs.map(figure));
  const latencies = (pick: (run: SituationRun) => Latencies): Latencies => ({
    operations: of((run) => pick(run).operations),
    p50: of((run) => pick(run).p50),
    p95: of((run) => pick(run).p95),
    p99: of((run) => pick(run).p99),
    max: Math.max(...runs.map((run) => pick(run).max)),
  });
  return {
    situation: first.situation,
    latencies: latencies((run) => run.latencies),
    readLatencies: latencies((run) => run.readLatencies),
    changeLatencies: latencies((run) => run.changeLatencies),
    objectsPerSecond: of((run) => run.objectsPerSecond),
    statementsPerThousand: of((run) => run.statementsPerThousand),
    rewrites: latencies((run) => run.rewrites),
    reads: latencies((run) => run.reads),
    cores: {
      mariadb: of((run) => run.cores.mariadb),
      service: of((run) => run.cores.service),
      store: of((run) => run.cores.store),
    },
  };
}
