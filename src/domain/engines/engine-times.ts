/** How long each engine copies, and what bounds it. Pure. */

import type { EngineName, Limits } from "../job-spec.ts";

/**
 * `concurrency`, `requestsPerSecond`, `bytesPerSecond`: a limit of the job or store. `prefix`: writes that S3 takes for one
 * new prefix. `process`: one process of this service. `functions`: an account's concurrent functions. `table`: writes that a
 * new table takes.
 */
export type EngineBound =
  | "concurrency"
  | "requestsPerSecond"
  | "bytesPerSecond"
  | "prefix"
  | "process"
  | "functions"
  | "table";

/** Seconds of a copy of a small object at AWS ("roughly 100–200 ms", S3 performance guide); with its record a tenth more. */
const COPY_SECONDS = 0.15;
const RECORDED_COPY_SECONDS = 0.165;
/** Writes a second to one prefix that has not grown yet (S3 performance guide). */
const PREFIX_PER_SECOND = 3500;
/** Copies a second of one process at 0.2 ms of processor time each, the budget of docs/benchmarks.md. */
const PROCESS_PER_SECOND = 5000;
/** Concurrent executions of an account's Region by default; new accounts have fewer. */
const ACCOUNT_FUNCTIONS = 1000;
/** Objects a second, two writes each: a new table takes 4,000 writes on demand. */
const TABLE_PER_SECOND = 2000;

interface TimedWork {
  readonly objects: number;
  readonly bytes: number;
  readonly limits: Pick<Limits, "concurrency" | "requestsPerSecond" | "bytesPerSecond">;
  /** Null: not on AWS. */
  readonly prices: object | null;
}

/** The seconds that engine `name` copies at least, and their bound. The preparation of jobs by S3 is not known, nor counted. */
export function secondsOf(
  name: EngineName,
  work: TimedWork,
): { readonly seconds: number; readonly boundBy: EngineBound } {
  const { objects, bytes, limits } = work;
  const [perSecond, bound] = ratesOf(name, work).reduce((least, rate) => (rate[0] < least[0] ? rate : least));
  const seconds = objects / perSecond;
  const byBytes = limits.bytesPerSecond === null ? 0 : bytes / limits.bytesPerSecond;
  return byBytes > seconds
    ? { seconds: Math.ceil(byBytes), boundBy: "bytesPerSecond" }
    : { seconds: Math.ceil(seconds), boundBy: bound };
}

type Rate = readonly [objectsPerSecond: number, bound: EngineBound];

function ratesOf(name: EngineName, { limits, prices }: TimedWork): readonly [Rate, ...Rate[]] {
  const copySeconds = name === "lambda-copy-log" ? RECORDED_COPY_SECONDS : COPY_SECONDS;
  const own: readonly [Rate, ...Rate[]] = [
    [limits.concurrency / copySeconds, "concurrency"],
    [limits.requestsPerSecond ?? Number.POSITIVE_INFINITY, "requestsPerSecond"],
    [prices === null ? Number.POSITIVE_INFINITY : PREFIX_PER_SECOND, "prefix"],
  ];
  if (name === "service") return [...own, [PROCESS_PER_SECOND, "process"]];
  const functions: Rate = [ACCOUNT_FUNCTIONS / copySeconds, "functions"];
  return name === "lambda" ? [...own, functions] : [...own, functions, [TABLE_PER_SECOND, "table"]];
}
