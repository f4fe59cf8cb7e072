/** `countObjects`: counts what a job would move, with the job's own planner, and compares it with the target's objects. */

import { type DryBatch, type DryContext, type DryObject, dryPlan } from "../../conveyor/dry-plan.ts";
import { DomainError } from "../../domain/errors.ts";
import type { JobSpec } from "../../domain/job-spec.ts";
import { keyFault } from "../../domain/keys/key-mapping.ts";
import { looksIdentical } from "../../domain/verdict.ts";
import { noRequests, type ObjectStore } from "../../ports/object-store.ts";
import type { JobParts } from "../job-parts.ts";
import { jobContexts, settingsForLooking } from "../run/job-context.ts";
import { aclProblems } from "./preflight-acls.ts";
import { encryptionProblems } from "./preflight-encryption.ts";
import type { PreflightProblem } from "./preflight-report.ts";
import { sampleFacts, tagProblems } from "./preflight-sample.ts";
import { ReadOnlyStore } from "./preflight-stores.ts";
import { ProblemCounters } from "./problem-counters.ts";

const ARCHIVED: ReadonlySet<string | null> = new Set(["GLACIER", "DEEP_ARCHIVE"]);
/** Objects that one list or one delete request covers. */
const PAGE = 1000;

/** Read requests to a store by kind. */
export interface ReadCounts {
  readonly list: number;
  readonly head: number;
}

/** What was counted, and the problems found on the way. */
export interface ObjectCount {
  /** Objects in the source that the inventory names and the filter lets through, `maxObjects` at most. */
  readonly objects: number;
  readonly bytes: number;
  /** Characters of the longest new key. */
  readonly longestTargetKey: number;
  /** Objects that their ETag cannot verify: their checksums will be read. */
  readonly withoutComparableEtag: number;
  /** Slices of a thousand objects, batch by batch. */
  readonly pages: number;
  /** Requests that planning took (`source`), and those that reading all target keys once took (`target`). */
  readonly reads: { readonly source: ReadCounts; readonly target: ReadCounts };
  readonly problems: readonly PreflightProblem[];
}

const NO_READS: ReadCounts = { list: 0, head: 0 };

/** A count of nothing. */
export const EMPTY_COUNT: ObjectCount = {
  objects: 0,
  bytes: 0,
  longestTargetKey: 0,
  withoutComparableEtag: 0,
  pages: 0,
  reads: { source: NO_READS, target: NO_READS },
  problems: [],
};

/** Accumulates sums and problems over the planned batches. */
class CountAccumulator {
  objects = 0;
  bytes = 0;
  longestTargetKey = 0;
  withoutComparableEtag = 0;
  pages = 0;
  readonly found = new ProblemCounters();
  /** Keys of the 1st, 10th, 100th, … object: a small sample over the whole inventory. */
  readonly sample: string[] = [];
  readonly #wantsRows: boolean;

  /** `wantsRows`: whether objects that no row names are reported. */
  constructor(wantsRows: boolean) {
    this.#wantsRows = wantsRows;
  }

  add({ present, missing, failed }: DryBatch): void {
    this.pages += Math.ceil(present.length / PAGE);
    for (const item of present) this.#addPresent(item);
    for (const { key } of missing) this.found.missing.add(key);
    for (const object of failed) this.found.addException(object);
  }

  #addPresent({ object, targetKey, standing, failure }: DryObject): void {
    const { found } = this;
    this.objects += 1;
    if (Number.isInteger(Math.log10(this.objects))) this.sample.push(object.key);
    this.bytes += object.size;
    this.longestTargetKey = Math.max(this.longestTargetKey, [...targetKey].length);
    if (object.etag.includes("-")) this.withoutComparableEtag += 1;
    if (keyFault(targetKey) !== null) found.long.add(object.key);
    if (ARCHIVED.has(object.storageClass)) found.archived.add(object.key);
    if (this.#wantsRows && object.rows.length === 0) found.withoutRow.add(object.key);
    if (failure !== null) found.addUnreadable(failure.code, targetKey);
    if (standing !== null)
      (looksIdentical(object, standing) ? found.identical : found.different).add(targetKey);
  }
}

/** `onProgress` is called after each batch with the number of objects so far. */
export interface CountOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (objects: number) => void;
}

/**
 * Plans the job as a run would, batch by batch, keeping no batch. `isSearchable` tells for each reference whether its
 * table may be searched for rows: without an index every batch would read the whole table. A key that a manifest
 * repeats in a later batch is counted again, as a run plans it again. Throws as the stores and tables do.
 */
export async function countObjects(
  parts: JobParts,
  spec: JobSpec,
  isSearchable: readonly boolean[],
  options: CountOptions,
): Promise<ObjectCount> {
  const isFromRows = spec.inventory.from === "database";
  // The first reference of a database inventory is paged by its key and never searched.
  const references = spec.references.filter((_, i) => isSearchable[i] === true || (isFromRows && i === 0));
  const signal = options.signal ?? new AbortController().signal;
  const context = contextWithoutJob(parts, { ...spec, references }, signal);
  const source = new ReadOnlyStore(context.source);
  const target = new ReadOnlyStore(context.target);
  const wantsRows = !isFromRows && references.length > 0 && references.length === spec.references.length;
  const counting = new CountAccumulator(wantsRows);
  for await (const batch of dryPlan({ ...context, source, target })) {
    counting.add(batch);
    options.onProgress?.(counting.objects);
  }
  options.onProgress?.(counting.objects);
  const { objects, bytes, longestTargetKey, withoutComparableEtag, pages, found } = counting;
  const reads = { source: source.reads, target: target.reads };
  const unseen = { source: new ReadOnlyStore(context.source), target: new ReadOnlyStore(context.target) };
  const seen = await sampleFacts(unseen.source, spec, counting.sample, signal);
  const problems = [
    ...found.problems(spec),
    ...(await versioningProblems(source, spec, signal)),
    ...(await encryptionProblems(unseen.target, spec, seen, signal)),
    ...tagProblems(spec, seen),
    ...(await aclProblems(unseen.source, spec, counting.sample, signal)),
  ];
  return { objects, bytes, longestTargetKey, withoutComparableEtag, pages, reads, problems };
}

/** A planning context without a job and lease: planning only reads. */
function contextWithoutJob(parts: JobParts, spec: JobSpec, signal: AbortSignal): DryContext {
  const lease = { jobId: "", owner: "preflight", token: 0 };
  const counters = { requests: noRequests(), statements: {} };
  const confirmLease = () => Promise.reject(new DomainError("internal", "preflight holds no lease"));
  const settings = settingsForLooking(parts, spec, signal);
  const { stages } = jobContexts(parts, spec, lease, counters, { settings, signal, confirmLease });
  return { ...stages.copy, ...stages.plan, rowLimit: settings.rowLimit };
}

async function versioningProblems(
  store: ObjectStore,
  spec: JobSpec,
  signal: AbortSignal,
): Promise<PreflightProblem[]> {
  const { versioning } = await store.bucketFacts(spec.source.bucket, signal);
  if (versioning === "off" || spec.delete.when === "never") return [];
  const message = `versioning of the source bucket is ${versioning}: deleting adds markers, old versions stay and are billed`;
  return [{ severity: "warning", code: "versioned_source", message, examples: [] }];
}
