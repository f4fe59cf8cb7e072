/** Counts what a job would move, by listing the source, and compares it with what stands at the target. */

import type { JobSpec, ObjectLocation } from "../domain/job-spec.ts";
import { keyFault, mapKey } from "../domain/key-mapping.ts";
import { compareKeys } from "../domain/key-order.ts";
import { looksIdentical } from "../domain/verdict.ts";
import { type ListedObject, noRequests, type ObjectStore } from "../ports/object-store.ts";
import { governedStores, type JobParts } from "./job-context.ts";
import { keyFilterOf } from "./key-filter.ts";
import type { Problem } from "./preflight-report.ts";

const EXAMPLES = 5;
/** The keys kept to look them up in the tables. */
const SAMPLE = 1000;
const ARCHIVED: ReadonlySet<string | null> = new Set(["GLACIER", "DEEP_ARCHIVE"]);

export interface ObjectCount {
  readonly objects: number;
  readonly bytes: number;
  /** Characters of the longest new key. */
  readonly longestTargetKey: number;
  /** The first source keys, a sample. */
  readonly sample: readonly string[];
  readonly problems: readonly Problem[];
}

/** A count of nothing. */
export const NOTHING: ObjectCount = { objects: 0, bytes: 0, longestTargetKey: 0, sample: [], problems: [] };

/** A kind of trouble with how often it occurs and a few examples. */
class Finding {
  count = 0;
  readonly examples: string[] = [];

  add(key: string): void {
    this.count += 1;
    if (this.examples.length < EXAMPLES) this.examples.push(key);
  }
}

/** Sums and findings while a listing passes by. */
class Counting {
  objects = 0;
  bytes = 0;
  longestTargetKey = 0;
  readonly sample: string[] = [];
  readonly found = {
    long: new Finding(),
    archived: new Finding(),
    identical: new Finding(),
    different: new Finding(),
  };

  /** `standing` is what stands at the target key already. */
  add(object: ListedObject, target: string, standing: ListedObject | null): void {
    this.objects += 1;
    this.bytes += object.size;
    this.longestTargetKey = Math.max(this.longestTargetKey, [...target].length);
    if (this.sample.length < SAMPLE) this.sample.push(object.key);
    if (keyFault(target) !== null) this.found.long.add(object.key);
    if (ARCHIVED.has(object.storageClass)) this.found.archived.add(object.key);
    if (standing === null) return;
    const { identical, different } = this.found;
    (looksIdentical(object, standing) ? identical : different).add(target);
  }
}

export interface CountOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (objects: number) => void;
}

/** Lists source and target once each, in step, for both are in byte order and a prefix exchange keeps that order. */
export async function countObjects(
  parts: JobParts,
  spec: JobSpec,
  options: CountOptions,
): Promise<ObjectCount> {
  const stores = governedStores(parts, spec, noRequests());
  const filter = keyFilterOf(spec.filter);
  const change = { from: spec.source.prefix, to: spec.target.prefix };
  const targets = new InStep(listAll(stores(spec.target.store), spec.target, options.signal));
  const counting = new Counting();
  const most = spec.maxObjects ?? Number.POSITIVE_INFINITY;
  for await (const object of listAll(stores(spec.source.store), spec.source, options.signal)) {
    if (!filter(object.key.slice(change.from.length), object.modifiedAt)) continue;
    if (counting.objects >= most) break;
    const target = mapKey(change, object.key);
    counting.add(object, target, await targets.at(target));
    if (counting.objects % 10_000 === 0) options.onProgress?.(counting.objects);
  }
  options.onProgress?.(counting.objects);
  const { objects, bytes, longestTargetKey, sample, found } = counting;
  const versioned = await versioningProblems(stores(spec.source.store), spec);
  return { objects, bytes, longestTargetKey, sample, problems: [...problemsOf(spec, found), ...versioned] };
}

async function* listAll(
  store: ObjectStore,
  { bucket, prefix }: ObjectLocation,
  signal: AbortSignal | undefined,
): AsyncGenerator<ListedObject> {
  for (let startAfter: string | null = null; ; ) {
    const page = await store.list({ bucket, prefix, startAfter, limit: 1000 }, signal);
    yield* page.objects;
    startAfter = page.objects.at(-1)?.key ?? null;
    if (!page.more || startAfter === null) return;
  }
}

/** Walks a listing in step with keys that come in the same order. */
class InStep {
  readonly #listing: AsyncGenerator<ListedObject>;
  #current: ListedObject | null = null;
  #ended = false;

  constructor(listing: AsyncGenerator<ListedObject>) {
    this.#listing = listing;
  }

  /** The listed object with exactly `key`; keys must be asked in byte order. */
  async at(key: string): Promise<ListedObject | null> {
    while (!this.#ended && (this.#current === null || compareKeys(this.#current.key, key) < 0)) {
      const next = await this.#listing.next();
      this.#ended = next.done === true;
      this.#current = next.done === true ? null : next.value;
    }
    return this.#current?.key === key ? this.#current : null;
  }
}

function problemsOf(
  spec: JobSpec,
  found: { long: Finding; archived: Finding; identical: Finding; different: Finding },
): Problem[] {
  const overwrite = spec.onConflict === "overwrite";
  const skips = spec.onConflict === "skip-identical";
  return [
    problem(
      "error",
      "key_too_long",
      found.long,
      "objects get a key that is empty or longer than 1,024 bytes",
    ),
    problem(
      "warning",
      "archived",
      found.archived,
      "objects are archived: restore them first, or they become exceptions",
    ),
    problem(
      overwrite ? "warning" : "error",
      "target_exists",
      found.different,
      overwrite
        ? "objects at the target will be overwritten"
        : "different objects stand at the target already",
    ),
    problem(
      skips || overwrite ? "warning" : "error",
      "target_identical",
      found.identical,
      "identical objects stand at the target already; onConflict skip-identical goes on with them",
    ),
  ].filter((item) => item !== null);
}

function problem(
  severity: Problem["severity"],
  code: string,
  finding: Finding,
  what: string,
): Problem | null {
  if (finding.count === 0) return null;
  return { severity, code, message: `${finding.count} ${what}`, examples: finding.examples };
}

async function versioningProblems(store: ObjectStore, spec: JobSpec): Promise<Problem[]> {
  const { versioning } = await store.bucketFacts(spec.source.bucket);
  if (versioning === "off" || spec.delete.when === "never") return [];
  const message = `versioning of the source bucket is ${versioning}: deleting adds markers, old versions stay and are billed`;
  return [{ severity: "warning", code: "versioned_source", message, examples: [] }];
}
