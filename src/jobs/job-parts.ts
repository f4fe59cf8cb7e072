/** `JobParts`: the dependencies shared by all use cases and runs of jobs in this process. */

import type { AwsSettings } from "../domain/engines/aws-settings.ts";
import type { AwsEngineName, JobSpec } from "../domain/job-spec.ts";
import type { LocalCalendar } from "../domain/windows/local-calendar.ts";
import type { Concurrency } from "../pacing/concurrency.ts";
import type { Clock } from "../ports/clock.ts";
import type { Connections } from "../ports/connections.ts";
import type { ConsignmentEngine } from "../ports/consignment-engine.ts";
import type { CopyEngine } from "../ports/copy-engine.ts";
import type { Ledger } from "../ports/ledger.ts";
import type { ManifestReader } from "../ports/manifest-reader.ts";
import type { ObjectStore, RequestCounts } from "../ports/object-store.ts";
import type { BucketGovernors } from "./run/bucket-governors.ts";

/** Opens an engine on AWS for the job `spec`, whose store is `store`. */
export type OpenConsignmentEngine = (job: {
  readonly spec: JobSpec;
  readonly store: ObjectStore;
  readonly settings: AwsSettings;
}) => Promise<ConsignmentEngine>;

export interface JobParts {
  readonly clock: Clock;
  readonly calendar: LocalCalendar;
  /** Lease duration: a job whose owner has not renewed for this long may be claimed by another process. */
  readonly leaseMs: number;
  readonly ledger: Ledger;
  readonly connections: Connections;
  readonly governors: BucketGovernors;
  /** The engine that copies a job's objects through `store`, which applies the limits, with `concurrency` requests at once. */
  copyEngine(store: ObjectStore, concurrency: Concurrency): CopyEngine;
  /** The engines on AWS; a job that names another one is refused as `not_available`. */
  readonly consignmentEngines: Readonly<Partial<Record<AwsEngineName, OpenConsignmentEngine>>>;
  /** Reads manifests out of a store. */
  manifestReader(store: ObjectStore): ManifestReader;
}

/** Counts of what a job has sent, changed in place: requests to stores by kind, statements by kind. */
export interface Counters {
  readonly requests: RequestCounts;
  readonly statements: Record<string, number>;
}
