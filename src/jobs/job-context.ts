/** Gathers what the stages of one job need: its stores and tables, its limits, its gate. */

import { type Carrier, OddNames } from "../conveyor/batch-carrier.ts";
import type { JobSpec } from "../domain/job-spec.ts";
import type { LocalCalendar } from "../domain/local-calendar.ts";
import { Pace } from "../domain/pace.ts";
import { BucketGovernor } from "../pacing/bucket-governor.ts";
import { limitConcurrency } from "../pacing/concurrency.ts";
import { gateOf, untilApproved } from "../pacing/gate.ts";
import { GovernedObjectStore } from "../pacing/governed-object-store.ts";
import { Throttling } from "../pacing/throttling.ts";
import { Turnstile } from "../pacing/turnstile.ts";
import type { Clock } from "../ports/clock.ts";
import type { Connections } from "../ports/connections.ts";
import type { Lease, Ledger } from "../ports/ledger.ts";
import type { ManifestReader } from "../ports/manifest-reader.ts";
import type { ObjectStore, RequestCounts } from "../ports/object-store.ts";
import { keyFilterOf } from "./key-filter.ts";

/** Remembers the write rate of every bucket, for all jobs of this process. */
export class BucketGovernors {
  readonly #byBucket = new Map<string, BucketGovernor>();
  #turnstile: Turnstile | null = null;

  /** Where all jobs of this process wait for what they share. */
  turnstile(clock: Clock): Turnstile {
    this.#turnstile ??= new Turnstile(clock);
    return this.#turnstile;
  }

  of(endpoint: string, bucket: string): BucketGovernor {
    const name = `${endpoint} ${bucket}`;
    const known = this.#byBucket.get(name) ?? new BucketGovernor();
    this.#byBucket.set(name, known);
    return known;
  }
}

export interface JobParts {
  readonly clock: Clock;
  readonly calendar: LocalCalendar;
  readonly ledger: Ledger;
  readonly connections: Connections;
  readonly governors: BucketGovernors;
  /** Reads manifests out of a store. */
  manifestReader(store: ObjectStore): ManifestReader;
}

export interface Counters {
  readonly requests: RequestCounts;
  readonly statements: Record<string, number>;
}

/** The stages' context for a job held under `lease`. */
export function jobContext(
  parts: JobParts,
  spec: JobSpec,
  lease: Lease,
  counters: Counters,
  run: { readonly signal: AbortSignal; readonly throttling?: Throttling; confirmLease(): Promise<void> },
): Carrier["context"] {
  const { clock, ledger } = parts;
  const stores = governedStores(parts, spec, counters.requests, run.throttling);
  const { inventory } = spec;
  const isApproved = async () => ((await ledger.job(lease.jobId))?.approvedAt ?? null) !== null;
  return {
    spec,
    lease,
    clock,
    ledger,
    source: stores(spec.source.store),
    target: stores(spec.target.store),
    manifest: parts.manifestReader(
      stores(inventory.from === "manifest" ? inventory.store : spec.source.store),
    ),
    references: spec.references.map((reference) =>
      parts.connections.reference(reference, counters.statements),
    ),
    oddNames: openOddNames(parts, spec, counters.statements),
    filter: keyFilterOf(spec.filter),
    gate: gateOf(spec.delete.when === "approved" ? [untilApproved(isApproved)] : []),
    concurrency: limitConcurrency(spec.limits.concurrency),
    rowPace: new Pace(spec.limits.rowsPerSecond),
    onCopied: () => {},
    confirmLease: run.confirmLease,
    signal: run.signal,
  };
}

/** The conveyor's reader of odd URLs, over every URL reference whatever its rows' other columns hold. */
function openOddNames(parts: JobParts, spec: JobSpec, statements: Record<string, number>): OddNames {
  const tables = spec.references.flatMap((reference) => {
    const { urlPrefix } = reference;
    if (urlPrefix === null) return [];
    return [{ table: parts.connections.reference({ ...reference, where: {} }, statements), urlPrefix }];
  });
  return new OddNames(tables, parts.clock);
}

/** Opens stores by name under the job's own limits; one limit for all stores of a job. */
export function governedStores(
  parts: JobParts,
  spec: JobSpec,
  requests: RequestCounts,
  throttling = new Throttling(),
): (name: string) => GovernedObjectStore {
  const { clock, governors } = parts;
  const requestLimits = [new Pace(spec.limits.requestsPerSecond)];
  const byteLimits = [new Pace(spec.limits.bytesPerSecond)];
  const turnstile = governors.turnstile(clock);
  return (name) => {
    const store = parts.connections.store(name, requests);
    const governorOf = (bucket: string) => governors.of(store.endpoint, bucket);
    const limits = { turnstile, requestLimits, byteLimits, governorOf };
    return new GovernedObjectStore({ store, clock, ...limits, throttling });
  };
}
