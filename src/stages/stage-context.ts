/** What every stage is given: the job, the parts it may touch, and how to stop. */

import type { JobSpec, KeyFilter } from "../domain/job-spec.ts";
import { mapKey } from "../domain/keys/key-mapping.ts";
import type { DeletionSize } from "../domain/rates/deletion-size.ts";
import type { RateLimit } from "../domain/rates/rate-limit.ts";
import type { Concurrency } from "../pacing/concurrency.ts";
import type { Gate } from "../pacing/gate.ts";
import type { RateLimitedStore } from "../pacing/rate-limited-store.ts";
import type { Clock } from "../ports/clock.ts";
import type { Lease, Ledger } from "../ports/ledger.ts";
import type { ManifestReader } from "../ports/manifest-reader.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { ReferenceTable } from "../ports/reference-table.ts";
import type { BucketAccess } from "./head-many.ts";
import type { NonCanonicalUrls } from "./non-canonical-urls.ts";
import type { ReferenceChecks } from "./reference-checks.ts";

export interface StageContext {
  readonly spec: JobSpec;
  readonly lease: Lease;
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly source: RateLimitedStore;
  readonly target: ObjectStore;
  /** Where a manifest inventory is read. */
  readonly manifest: ManifestReader;
  /** In the order of `spec.references`. */
  readonly references: readonly ReferenceTable[];
  /** What URLs in non-canonical spellings may name; asked before every deletion. */
  readonly nonCanonicalUrls: NonCanonicalUrls;
  /** The looks at rows before deletions, of all batches of the run. */
  readonly referenceChecks: ReferenceChecks;
  readonly filter: KeyFilter;
  readonly gate: Gate;
  readonly concurrency: Concurrency;
  readonly rowLimit: RateLimit;
  /** How many keys a deletion may have where the store does not compare. */
  readonly deletionSize: DeletionSize;
  /** Resolves when statements of this stage may go to all databases of the job; throws `stopped`. */
  databasesReady(): Promise<void>;
  /** Runs `wait`, in which this stage waits for a limit: the job is not standing still meanwhile. */
  whileRateLimited(wait: () => Promise<void>): Promise<void>;
  /** Told of each object whose copy is settled, before its batch is recorded: for the eye only. */
  onCopied(bytes: number): void;
  /** Told of each statement that has changed rows of reference `reference`, before anything else may fail. */
  onRowsChanged(reference: number, rows: number): void;
  /** Makes sure that the job is still ours, before something that cannot be taken back; throws `lease_lost`. */
  confirmLease(): Promise<void>;
  /** Aborted when no new request may begin. */
  readonly signal: AbortSignal;
  /**
   * This context for the few statements that end what cannot be taken back: bound by the lease alone, when the job is
   * stopped in the middle of it.
   */
  unbound(): StageContext;
  /** This context for work that nobody needs any more when `signal` aborts: what it waits for is given up then too. */
  until(signal: AbortSignal): StageContext;
}

/** The key under which `object` stands, or will stand, in the target bucket. */
export function targetKey({ spec }: StageContext, object: { readonly key: string }): string {
  return mapKey({ from: spec.source.prefix, to: spec.target.prefix }, object.key);
}

/** Those of `objects`, in their order: for looks at them all. */
export function targetKeys(context: StageContext, objects: readonly { readonly key: string }[]): string[] {
  return objects.map((object) => targetKey(context, object));
}

/** How to look around in the source bucket. */
export function sourceAccess({ source: store, spec, concurrency, signal }: StageContext): BucketAccess {
  return { store, bucket: spec.source.bucket, concurrency, signal };
}

/** How to look around in the target bucket. */
export function targetAccess({ target: store, spec, concurrency, signal }: StageContext): BucketAccess {
  return { store, bucket: spec.target.bucket, concurrency, signal };
}
