/** `engineReport`: time and cost of a counted job with each engine. */

import { LIST_PRICES, pricesText } from "../../domain/engines/aws-prices.ts";
import { type EngineEstimate, engineEstimates, requestDollars } from "../../domain/engines/engine-costs.ts";
import { engineFaults, type KnownEngines } from "../../domain/engines/engine-faults.ts";
import type { AwsEngineName, JobSpec, Limits } from "../../domain/job-spec.ts";
import type { JobParts } from "../job-parts.ts";
import { knownEngines } from "../known-engines.ts";
import type { ObjectCount } from "./preflight-count.ts";
import type { PreflightReport } from "./preflight-report.ts";

/** The parts of the report that depend on the engine. */
export type EngineReport = Pick<
  PreflightReport,
  "engines" | "prices" | "estimatedCostUsd" | "estimatedSeconds"
>;

/** Of a job of which nothing was counted. */
export const NO_ENGINES: EngineReport = {
  engines: [],
  prices: pricesText({}),
  estimatedCostUsd: 0,
  estimatedSeconds: 0,
};

/**
 * The engines for a job whose stores are configured. Estimates are those of the job's own engine; the cost of a store
 * whose prices are not known is that of its requests at AWS list prices.
 */
export function engineReport(
  parts: Pick<JobParts, "connections" | "consignmentEngines">,
  spec: JobSpec,
  { objects, bytes }: Pick<ObjectCount, "objects" | "bytes">,
  requests: PreflightReport["requests"],
): EngineReport {
  const known = knownEngines(parts);
  const store = parts.connections.awsOf(spec.source.store);
  const own = store.prices ?? {};
  const prices = { ...LIST_PRICES, ...own };
  const engines = engineEstimates({
    ...{ objects, bytes, requests },
    limits: lowestLimits(parts, spec),
    prices: store.isAws || store.prices !== null ? prices : null,
    objections: {
      lambda: objectionTo("lambda", spec, known),
      "lambda-copy-log": objectionTo("lambda-copy-log", spec, known),
    },
  });
  const [service] = engines;
  const estimate: EngineEstimate | undefined = engines.find(({ name }) => name === spec.engine) ?? service;
  return {
    engines,
    prices: pricesText(own),
    estimatedCostUsd: estimate?.dollars ?? requestDollars(requests, prices),
    estimatedSeconds: estimate?.seconds ?? 0,
  };
}

function objectionTo(engine: AwsEngineName, spec: JobSpec, known: KnownEngines): string | null {
  const lambda = spec.lambda ?? { updates: "service" };
  const [fault] = engineFaults({ ...spec, engine, lambda }, known);
  return fault === undefined ? null : `${fault.pointer}: ${fault.message}`;
}

/** The job's limits, lowered to those of its stores. */
function lowestLimits({ connections }: Pick<JobParts, "connections">, { limits, source, target }: JobSpec) {
  const stores = [source.store, target.store].map((name) => connections.storeLimits(name));
  const lowest = (name: "requestsPerSecond" | "bytesPerSecond"): Limits[typeof name] => {
    const given = [limits, ...stores].flatMap((all) => all[name] ?? []);
    return given.length === 0 ? null : Math.min(...given);
  };
  return {
    concurrency: limits.concurrency,
    requestsPerSecond: lowest("requestsPerSecond"),
    bytesPerSecond: lowest("bytesPerSecond"),
  };
}
