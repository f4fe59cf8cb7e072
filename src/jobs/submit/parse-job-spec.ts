/** `parseJobSpec`: turns a user's JSON into a complete job spec, or an error with every fault and its JSON pointer. */

import { Compile } from "typebox/compile";
import { engineFaults, type KnownEngines, SERVICE_ONLY } from "../../domain/engines/engine-faults.ts";
import { DomainError, type Fault } from "../../domain/errors.ts";
import type { DatabaseLimits, JobSpec, ReferenceSpec, Windows } from "../../domain/job-spec.ts";
import { specFaults } from "../../domain/job-spec-faults.ts";
import { JobPatch, JobRequest, PATTERN_MEANINGS } from "./job-spec-schema.ts";
import { shapeFaults } from "./shape-faults.ts";

const checked = Compile(JobRequest);
const checkedPatch = Compile(JobPatch);

/** The configured names that a job may use. */
export interface KnownNames {
  readonly stores: readonly string[];
  readonly databases: readonly string[];
  /** Absent: the service copies every job. */
  readonly engines?: KnownEngines;
}

/** Validates `input` and fills in the defaults; throws `invalid_input` with every fault. Sends nothing to stores or databases. */
export function parseJobSpec(input: unknown, known: KnownNames): JobSpec {
  const spec = readJobSpec(input);
  const faults = allFaults(spec, known);
  if (faults.length > 0) throw invalidJob(faults);
  return spec;
}

function allFaults(spec: JobSpec, known: KnownNames): Fault[] {
  return [...specFaults(spec, known), ...engineFaults(spec, known.engines ?? SERVICE_ONLY)];
}

/** Validates `input` against the schema only and fills in the defaults; throws `invalid_input` with every fault. */
export function readJobSpec(input: unknown): JobSpec {
  if (!checked.Check(input)) throw invalidJob(shapeFaults([...checked.Errors(input)], PATTERN_MEANINGS));
  return complete(input);
}

/**
 * `spec` with what `input` changes of it: limits and guards one by one, windows as a whole (null: always open). Throws
 * `invalid_input` with every fault.
 */
export function patchedJobSpec(spec: JobSpec, input: unknown, known: KnownNames): JobSpec {
  if (!checkedPatch.Check(input)) {
    throw invalidJob(shapeFaults([...checkedPatch.Errors(input)], PATTERN_MEANINGS));
  }
  const guards = guardsOf(input);
  const patched: JobSpec = {
    ...spec,
    limits: { ...spec.limits, ...input.limits },
    windows: input.windows === undefined ? spec.windows : windowsOf(input),
    guards: {
      database: input.guards?.database === undefined ? spec.guards.database : guards.database,
      maxExceptionRatio:
        input.guards?.maxExceptionRatio === undefined
          ? spec.guards.maxExceptionRatio
          : guards.maxExceptionRatio,
    },
  };
  // Faults elsewhere, e.g. a store removed from the configuration since, are no fault of the patch.
  const faults = allFaults(patched, known).filter(({ pointer }) => LIVE.test(pointer));
  if (faults.length > 0) throw invalidJob(faults);
  return patched;
}

/** JSON pointers of the parts of a job that may change while it runs. */
const LIVE = /^\/(limits|windows|guards)(\/|$)/;

/** The `invalid_input` error for a job, with all its faults. */
export function invalidJob(faults: readonly Fault[]): DomainError {
  const list = faults
    .map(({ pointer, message }) => `${pointer === "" ? "/" : pointer}: ${message}`)
    .join("; ");
  return new DomainError("invalid_input", `the job is not valid: ${list}`, { faults });
}

function complete(request: JobRequest): JobSpec {
  const source = { store: "main", prefix: "", ...request.source };
  const target = { store: "main", prefix: "", ...request.target };
  return {
    name: request.name ?? `${source.bucket}/${source.prefix} to ${target.bucket}/${target.prefix}`,
    source,
    target,
    inventory: inventoryOf(request, source.store),
    references: referencesOf(request),
    filter: { include: [], exclude: [], modifiedBefore: null, ...request.filter },
    maxObjects: request.maxObjects ?? null,
    batchSize: request.batchSize ?? 1000,
    limits: {
      concurrency: 128,
      requestsPerSecond: null,
      bytesPerSecond: null,
      rowsPerSecond: null,
      ...request.limits,
    },
    windows: windowsOf(request),
    guards: guardsOf(request),
    onConflict: (request.onConflict ?? "fail") as JobSpec["onConflict"],
    verify: (request.verify ?? "etag") as JobSpec["verify"],
    delete: { when: "verified", after: "24h", ...request.delete } as JobSpec["delete"],
    ...engineOf(request),
  };
}

/** Settings that the engine does not have are kept: `engineFaults` reports them. */
function engineOf({ engine: given, lambda }: JobRequest): Pick<JobSpec, "engine" | "lambda"> {
  const engine = (given ?? "service") as JobSpec["engine"];
  if (engine === "service" && lambda === undefined) return { engine };
  return { engine, lambda: { updates: "service", ...lambda } };
}

function referencesOf({ references }: JobRequest): ReferenceSpec[] {
  return (references ?? []).map((reference) => ({
    set: {},
    urlPrefix: null,
    where: {},
    keepUpdatedAt: true,
    ...reference,
  }));
}

/** Missing fields of a manifest become empty strings here; `specFaults` reports them. */
function inventoryOf(request: JobRequest, store: string): JobSpec["inventory"] {
  const { inventory } = request;
  if (inventory === undefined) return { from: (request.references ?? []).length > 0 ? "database" : "bucket" };
  if (inventory.from !== "manifest") return { from: inventory.from as "bucket" | "database" };
  return {
    from: "manifest",
    store: inventory.store ?? store,
    bucket: inventory.bucket ?? "",
    key: inventory.key ?? "",
  };
}

const EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

function windowsOf({ windows }: Pick<JobRequest, "windows">): Windows | null {
  if (windows === undefined || windows === null) return null;
  return {
    timezone: windows.timezone,
    open: windows.open.map((window) => ({
      days: (window.days ?? EVERY_DAY) as Windows["open"][number]["days"],
      from: window.from,
      to: window.to,
      limits: window.limits ?? null,
    })),
    closed: windows.closed ?? [],
    stages: (windows.stages ?? ["copy", "update", "delete"]) as Windows["stages"],
  };
}

const UNLIMITED: DatabaseLimits = {
  maxThreadsRunning: null,
  maxReplicaLagSeconds: null,
  maxLockWaits: null,
  onUnknown: "hold",
};

function guardsOf({ guards }: Pick<JobRequest, "guards">): JobSpec["guards"] {
  const database = guards?.database ?? null;
  return {
    database: database === null ? null : { ...UNLIMITED, ...database },
    maxExceptionRatio: guards?.maxExceptionRatio ?? null,
  };
}
