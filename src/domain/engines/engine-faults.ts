/** Faults of a job's engine: whether it can do this job on the configured stores, and hold its limits. Pure. */

import type { Fault } from "../errors.ts";
import type { AwsEngineName, JobSpec } from "../job-spec.ts";
import type { AwsStore } from "./aws-settings.ts";
import { engineLimitFaults } from "./engine-limit-faults.ts";
import { encodeRowUpdates, rowUpdatesOf } from "./row-updates.ts";

/** A configured store, and the limits that all jobs on it share (null: none). */
export interface EngineStore extends AwsStore {
  readonly requestsPerSecond: number | null;
  readonly bytesPerSecond: number | null;
}

/** What is known of engines besides `service`. */
export interface KnownEngines {
  readonly available: readonly AwsEngineName[];
  /** Null: no store of this name is configured. */
  store(name: string): EngineStore | null;
}

/** Without any engine besides `service`. */
export const SERVICE_ONLY: KnownEngines = { available: [], store: () => null };

/**
 * Characters of a prefix, or of the rows to update, in a job's argument at most, percent-encoded (CreateJob, UserArguments); the engine's encoding is
 * in engines/aws/user-arguments.ts.
 */
const MOST_ARGUMENT_CHARACTERS = 1024;

/** Every fault of `spec` with its engine; none where that is `service` and there are no settings of others. */
export function engineFaults(spec: JobSpec, known: KnownEngines): Fault[] {
  const { engine } = spec;
  if (engine === "service") {
    const message = 'only the engines "lambda" and "lambda-copy-log" have these settings';
    return spec.lambda === undefined ? [] : [{ pointer: "/lambda", message }];
  }
  const store = known.store(spec.source.store);
  return [
    ...availabilityFaults(engine, known),
    ...placeFaults(spec),
    ...(engine === "lambda" ? argumentFaults(spec) : []),
    ...(store === null ? [] : storeFaults(spec, engine, store)),
    ...engineLimitFaults(spec, store),
  ];
}

function availabilityFaults(engine: AwsEngineName, { available }: KnownEngines): Fault[] {
  if (available.includes(engine)) return [];
  const engines = ["service", ...available].map((name) => JSON.stringify(name)).join(", ");
  const message = `the engine ${JSON.stringify(engine)} is not available here: this version has ${engines}`;
  return [{ pointer: "/engine", message, code: "not_available" }];
}

function placeFaults({ source, target }: JobSpec): Fault[] {
  const faults: Fault[] = [];
  if (source.store !== target.store) {
    const message =
      "source and target must be in one store: the engine has the functions and the account of a single one";
    faults.push({ pointer: "/target/store", message, code: "engine_two_stores" });
  }
  for (const [name, { prefix }] of [["source", source] as const, ["target", target] as const]) {
    const { length } = encodeURIComponent(prefix.toWellFormed());
    if (length <= MOST_ARGUMENT_CHARACTERS) continue;
    const message =
      `too long for the engine: percent-encoded it has ${length} characters, and an argument of a Batch Operations job ` +
      `takes ${MOST_ARGUMENT_CHARACTERS}`;
    faults.push({ pointer: `/${name}/prefix`, message, code: "engine_argument_too_long" });
  }
  return faults;
}

/** With the other engine the updates travel in the table. */
function argumentFaults(spec: JobSpec): Fault[] {
  const updates = rowUpdatesOf(spec);
  const length = updates === null ? 0 : encodeURIComponent(encodeRowUpdates(updates).toWellFormed()).length;
  if (length <= MOST_ARGUMENT_CHARACTERS) return [];
  const message =
    `too long for functions that update rows: percent-encoded they have ${length} characters, and an argument of a Batch ` +
    `Operations job takes ${MOST_ARGUMENT_CHARACTERS}; leave "updates" to the service, or use "lambda-copy-log"`;
  return [{ pointer: "/references", message, code: "engine_argument_too_long" }];
}

function storeFaults({ source }: JobSpec, engine: AwsEngineName, store: EngineStore): Fault[] {
  const { isAws, settings } = store;
  const section = `stores.${source.store}.aws`;
  const notAws = (rest: string): Fault => ({
    pointer: "/engine",
    message: `the engine ${JSON.stringify(engine)} copies on AWS, and the store ${JSON.stringify(source.store)} is not AWS${rest}`,
    code: "engine_store_not_aws",
  });
  if (settings === null) {
    if (!isAws) return [notAws("")];
    const message = `the engine ${JSON.stringify(engine)} needs accountId, copyFunction, jobRole and manifests in ${section} of the configuration`;
    return [{ pointer: "/engine", message, code: "engine_not_configured" }];
  }
  const faults: Fault[] = [];
  const missing = endpointsOf(engine).filter((name) => settings.endpoints[name] === undefined);
  if (!isAws && missing.length > 0) {
    const names = missing.map((name) => `${section}.endpoints.${name}`).join(" and ");
    faults.push(notAws(`: a compatible service needs ${names}`));
  }
  const { bucket, prefix } = settings.manifests;
  if (bucket === source.bucket && prefix.startsWith(source.prefix)) {
    const message = `the manifests of the engine (${section}.manifests) lie under it, and the job would move them`;
    faults.push({ pointer: "/source/prefix", message, code: "engine_manifests_in_source" });
  }
  return faults;
}

function endpointsOf(engine: AwsEngineName) {
  return engine === "lambda" ? (["s3control"] as const) : (["s3control", "dynamodb"] as const);
}
