/** Time, cost and bound of a job with each engine, and the choice between them. Sums and sources: docs/aws/choosing.md. Pure. */

import type { AwsEngineName, EngineName, Limits } from "../job-spec.ts";
import type { AwsPrices } from "./aws-prices.ts";
import { consignmentSize, LEAST_CONSIGNED } from "./consignment-size.ts";
import { chosenEngine, reasonFor } from "./engine-choice.ts";
import { type EngineBound, secondsOf } from "./engine-times.ts";

/** A job as far as its engines differ. */
export interface EngineWork {
  readonly objects: number;
  readonly bytes: number;
  /** Requests that the job takes whatever its engine. */
  readonly requests: StoreRequests;
  /** The job's and its stores', the lower of each; windows are not considered. */
  readonly limits: Pick<Limits, "concurrency" | "requestsPerSecond" | "bytesPerSecond">;
  /** Null: not on AWS, where only the service copies, at no known price. */
  readonly prices: AwsPrices | null;
  /** Why an engine cannot do the job; null: it can. */
  readonly objections: Readonly<Record<AwsEngineName, string | null>>;
}

export interface StoreRequests {
  readonly list: number;
  readonly copy: number;
  readonly head: number;
}

export interface EngineEstimate {
  readonly name: EngineName;
  /** Whole seconds of copying; a lower bound. */
  readonly seconds: number;
  /** US dollars, four decimals; null where prices are not known. */
  readonly dollars: number | null;
  /** What a faster run would have to change first. */
  readonly boundBy: EngineBound;
  /** Whether it is the one to take; of one estimate in all. */
  readonly chosen: boolean;
  /** One sentence for people. */
  readonly why: string;
}

const MILLION = 1e6;
/** Copies of one Batch Operations job at most, as an engine sends them. */
const MOST_COPIES = MILLION;

/** Memory (GB) of function 1, and seconds of a copy with it: with the record of engine `lambda-copy-log` a tenth more. */
const COPY_FUNCTION_GB = 0.25;
const INVOCATION_SECONDS = { lambda: 0.15, "lambda-copy-log": 0.165 } as const;
/** Of an object's record: written, flagged, removed; and read in hundreds with what a batch has besides. */
const RECORD_WRITES = 3;
const RECORD_READS = 0.6;
/** Of an event: sent once, received and deleted in tens. */
const QUEUE_REQUESTS = 1.2;
/** Function 2: events, memory (GB) and seconds of an invocation. */
const EVENTS_AN_INVOCATION = 100;
const EVENT_FUNCTION_GB = 0.125;
const EVENT_SECONDS = 0.5;

/** The engines for `work`, the service first, with one chosen. */
export function engineEstimates(work: EngineWork): EngineEstimate[] {
  const names: readonly EngineName[] =
    work.prices === null ? ["service"] : ["service", "lambda", "lambda-copy-log"];
  const candidates = names.map((name) => ({
    name,
    ...secondsOf(name, work),
    dollars: work.prices === null ? null : rounded(dollarsOf(name, work, work.prices)),
    objection: name === "service" ? null : work.objections[name],
  }));
  const chosen = chosenEngine(candidates);
  return candidates.map((candidate) => {
    const { name, seconds, dollars, boundBy } = candidate;
    const why = reasonFor(candidate, chosen, candidates);
    return { name, seconds, dollars, boundBy, chosen: name === chosen.name, why };
  });
}

/** US dollars for requests to a store, four decimals. */
export function requestDollars(requests: StoreRequests, prices: AwsPrices): number {
  return rounded(storeDollars(requests, prices));
}

/** Batch Operations jobs for `objects` copies, and how many of them go that way: the service copies a small remainder. */
export function consignmentsOf(objects: number): { readonly jobs: number; readonly copies: number } {
  let left = objects;
  for (let jobs = 0; ; jobs += 1) {
    const size = Math.min(left, consignmentSize(jobs + 1, MOST_COPIES));
    if (size < LEAST_CONSIGNED) return { jobs, copies: objects - left };
    left -= size;
  }
}

function dollarsOf(name: EngineName, { objects, requests }: EngineWork, prices: AwsPrices): number {
  const common = storeDollars(requests, prices);
  if (name === "service") return common;
  const { jobs, copies } = consignmentsOf(objects);
  const batch = jobs * prices.batchJob + (copies / MILLION) * prices.batchObjectMillion;
  const copying = functionDollars(copies, COPY_FUNCTION_GB * INVOCATION_SECONDS[name], prices);
  return common + batch + copying + (name === "lambda" ? 0 : recordDollars(copies, prices));
}

function storeDollars({ list, copy, head }: StoreRequests, prices: AwsPrices): number {
  return (copy * prices.copyMillion + list * prices.listMillion + head * prices.headMillion) / MILLION;
}

function functionDollars(invocations: number, gbSeconds: number, prices: AwsPrices): number {
  return (invocations / MILLION) * prices.invocationMillion + invocations * gbSeconds * prices.gbSecond;
}

/** The table, the queue and function 2. */
function recordDollars(copies: number, prices: AwsPrices): number {
  const table = RECORD_WRITES * prices.tableWriteMillion + RECORD_READS * prices.tableReadMillion;
  const each = table + QUEUE_REQUESTS * prices.queueMillion;
  const gbSeconds = EVENT_FUNCTION_GB * EVENT_SECONDS;
  return (copies / MILLION) * each + functionDollars(copies / EVENTS_AN_INVOCATION, gbSeconds, prices);
}

function rounded(dollars: number): number {
  return Math.round(dollars * 10_000) / 10_000;
}
