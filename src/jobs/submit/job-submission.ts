/** `submitJob`: validates a job against schema, stores and tables, and records it in the ledger. */

import type { Fault } from "../../domain/errors.ts";
import { hasCode, messageOf } from "../../domain/errors.ts";
import type { JobSpec } from "../../domain/job-spec.ts";
import { prefixesOverlap } from "../../domain/keys/key-mapping.ts";
import type { JobRecord } from "../../ports/ledger.ts";
import { noRequests, type ObjectStore } from "../../ports/object-store.ts";
import type { JobParts } from "../job-parts.ts";
import { knownEngines } from "../known-engines.ts";
import { settingsForLooking } from "../run/job-context.ts";
import { oppositeError, oppositeJob, refuseOpposite } from "./opposite-jobs.ts";
import { invalidJob, type KnownNames, parseJobSpec } from "./parse-job-spec.ts";
import { retryTransient } from "./retry-transient.ts";
import { tableFaults } from "./table-faults.ts";

/** Records of a manifest that are read before a job is accepted. */
const MANIFEST_SAMPLE = 100;

/**
 * Records the job that `input` describes, or gives the one recorded under the same `idempotencyKey`. Throws `invalid_input`
 * with every fault, `conflict` for an opposite job, and the error of a store or database that does not answer.
 */
export async function submitJob(
  parts: JobParts,
  input: unknown,
  by: { readonly idempotencyKey: string | null; readonly actor: string },
): Promise<{ readonly job: JobRecord; readonly created: boolean }> {
  const spec = parseJobSpec(input, namesOf(parts));
  const request = { spec, ...by, at: parts.clock.now() };
  // A repeated request must succeed even when the first job has moved everything since, so this comes before the checks.
  const earlier =
    by.idempotencyKey === null ? null : await parts.ledger.jobByIdempotencyKey(by.idempotencyKey);
  if (earlier !== null) return parts.ledger.createJob(request);
  await checkEnvironment(parts, spec);
  await refuseOpposite(parts, spec, null);
  const submitted = await parts.ledger.createJob(request);
  return { ...submitted, job: await withdrawnIfOpposite(parts, submitted.job, by.actor) };
}

/** Two opposite jobs submitted at the same moment both pass the check before: the later one is cancelled. */
async function withdrawnIfOpposite(parts: JobParts, job: JobRecord, actor: string): Promise<JobRecord> {
  const other = await oppositeJob(parts, job.spec, job.id);
  if (other === null || other.id > job.id) return job;
  const reason = "withdrawn: an opposite job was submitted at the same moment";
  const at = parts.clock.now();
  const change = {
    jobId: job.id,
    from: "queued",
    to: "cancelled",
    action: "cancel",
    actor,
    reason,
    at,
  } as const;
  await parts.ledger.changeState(change);
  throw oppositeError(other);
}

/** The configured names a job may use, and its engines. */
export function namesOf(parts: JobParts): Required<KnownNames> {
  const { storeNames, databaseNames } = parts.connections;
  return { stores: storeNames, databases: databaseNames, engines: knownEngines(parts) };
}

/**
 * Checks what the job names: buckets, prefix, tables, columns, manifest. Throws `invalid_input` with every fault found; a
 * store or database that does not answer throws its own error (HTTP 503), since that is no fault of the job.
 */
async function checkEnvironment(parts: JobParts, spec: JobSpec): Promise<void> {
  const faults = await environmentFaults(parts, spec);
  if (faults.length > 0) throw invalidJob(faults);
}

/** The faults of the buckets, prefix, tables and manifest that the job names. Throws as stores and databases do. */
export async function environmentFaults(parts: JobParts, spec: JobSpec): Promise<Fault[]> {
  const tables = spec.references.map((reference, i) =>
    retryTransient(parts.clock, `reference ${i}`, () => tableFaults(parts, spec, reference, i)),
  );
  const faults = await Promise.all([storeFaults(parts, spec), ...tables]);
  return faults.flat();
}

/** Requests of the checks of both buckets and the source prefix. */
const STORE_CHECK_REQUESTS = 7;

/** Not delayed by the job's limits, since a user waits; the requests are charged to the job's first second afterwards. */
async function storeFaults(parts: JobParts, spec: JobSpec): Promise<Fault[]> {
  const rateLimit = settingsForLooking(parts, spec, new AbortController().signal).requestLimit;
  try {
    return await storeFaultsUnlimited(parts, spec);
  } finally {
    rateLimit.dispatch.take(STORE_CHECK_REQUESTS, parts.clock.now());
  }
}

async function storeFaultsUnlimited(parts: JobParts, spec: JobSpec): Promise<Fault[]> {
  const { connections, clock } = parts;
  const asked = (store: string, look: () => Promise<Fault[]>) =>
    retryTransient(clock, `store ${JSON.stringify(store)}`, look);
  const source = connections.store(spec.source.store, noRequests());
  const target = connections.store(spec.target.store, noRequests());
  if (source.endpoint !== target.endpoint) {
    const message =
      "source and target stores are different endpoints; a server-side copy cannot cross endpoints";
    return [{ pointer: "/target/store", message, code: "different_endpoints" }];
  }
  if (isSamePlace(spec)) {
    const message = "source and target prefixes overlap in one bucket (the two stores are the same endpoint)";
    return [{ pointer: "/target/prefix", message, code: "target_inside_source" }];
  }
  const [sourceFaults, targetFaults] = await Promise.all([
    asked(spec.source.store, () => bucketFaults(source, spec.source.bucket, "/source/bucket")),
    asked(spec.target.store, () => bucketFaults(target, spec.target.bucket, "/target/bucket")),
  ]);
  const faults = [...sourceFaults, ...targetFaults];
  if (faults.length > 0) return faults;
  const { inventory } = spec;
  return inventory.from === "manifest"
    ? asked(inventory.store, () => manifestFaults(parts, spec))
    : asked(spec.source.store, () => prefixFaults(source, spec));
}

function isSamePlace({ source, target }: JobSpec): boolean {
  return source.bucket === target.bucket && prefixesOverlap(source.prefix, target.prefix);
}

async function bucketFaults(store: ObjectStore, bucket: string, pointer: string): Promise<Fault[]> {
  try {
    const { exists, isAlias } = await store.bucketFacts(bucket);
    if (isAlias) {
      const message =
        "this is an access point's alias: name the bucket itself, or one object could pass for two";
      return [{ pointer, message, code: "bucket_alias" }];
    }
    return exists
      ? []
      : [
          {
            pointer,
            message: `there is no bucket ${JSON.stringify(bucket)} in this store`,
            code: "bucket_missing",
          },
        ];
  } catch (error) {
    if (hasCode(error, "bucket_missing", "store_denied", "store_credentials", "store_refused")) {
      return [{ pointer, message: messageOf(error), code: error.code }];
    }
    throw error;
  }
}

async function prefixFaults(store: ObjectStore, { source }: JobSpec): Promise<Fault[]> {
  const { bucket, prefix } = source;
  try {
    const page = await store.list({ bucket, prefix, startAfter: null, limit: 1 });
    if (page.objects.length > 0) return [];
  } catch (error) {
    if (hasCode(error, "store_denied"))
      return [{ pointer: "/source/bucket", message: messageOf(error), code: "access_denied" }];
    throw error;
  }
  const what = prefix === "" ? `the bucket ${JSON.stringify(bucket)} is empty` : "no object has this prefix";
  return [
    {
      pointer: prefix === "" ? "/source/bucket" : "/source/prefix",
      message: `${what}: there is nothing to move`,
      code: "prefix_without_match",
    },
  ];
}

async function manifestFaults(parts: JobParts, { inventory, source }: JobSpec): Promise<Fault[]> {
  if (inventory.from !== "manifest") return [];
  const store = parts.connections.store(inventory.store, noRequests());
  let matching = 0;
  let records = 0;
  try {
    for await (const { key } of parts.manifestReader(store).keys(inventory, source.bucket, 0)) {
      records += 1;
      if (key.startsWith(source.prefix)) matching += 1;
      if (records >= MANIFEST_SAMPLE) return [];
    }
  } catch (error) {
    if (hasCode(error, "manifest_invalid", "store_refused", "bucket_missing", "store_denied")) {
      return [{ pointer: "/inventory", message: messageOf(error), code: "manifest_invalid" }];
    }
    throw error;
  }
  if (matching > 0) return [];
  return [
    {
      pointer: "/inventory/key",
      message: "the manifest has no key under the source prefix",
      code: "prefix_without_match",
    },
  ];
}
