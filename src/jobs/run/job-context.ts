/** `jobContexts`: builds what the stages of one job are given, stores, tables, limits and gate. */

import type { RunContext } from "../../conveyor/run-context.ts";
import type { Stage } from "../../domain/batch.ts";
import type { JobSpec, ReferenceSpec, WorkStage } from "../../domain/job-spec.ts";
import { DeletionSize } from "../../domain/rates/deletion-size.ts";
import { Relocation } from "../../domain/relocation.ts";
import { gateOf, type Objection, untilApproved } from "../../pacing/gate.ts";
import { GovernedObjectStore } from "../../pacing/governed-object-store.ts";
import { JobStallDetectors, type StallDetector } from "../../pacing/stall-detector.ts";
import type { Throttler } from "../../pacing/throttler.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Lease } from "../../ports/ledger.ts";
import { noRequests, type RequestCounts } from "../../ports/object-store.ts";
import type { ReferenceTable } from "../../ports/reference-table.ts";
import { NonCanonicalUrls } from "../../stages/non-canonical-urls.ts";
import { ReferenceChecks } from "../../stages/reference-checks.ts";
import type { JobReference } from "../../stages/reference-lookup.ts";
import type { StageContexts } from "../../stages/stage-contexts.ts";
import type { Counters, JobParts } from "../job-parts.ts";
import { keyFilterOf } from "../submit/key-filter.ts";
import { LiveSettings } from "./live-settings.ts";

/** Settings, signals and callbacks of a run that the contexts use. */
export interface RunHandles {
  readonly settings: LiveSettings;
  readonly signal: AbortSignal;
  readonly deletionSize?: DeletionSize;
  readonly stalls?: JobStallDetectors;
  confirmLease(): Promise<void>;
  /** Null: the lease is known to be held. */
  confirmCopy?(): Promise<void> | null;
  mayWrite?(): boolean;
  /** Called for each request that was sent. */
  onRequest?(): void;
}

/** The part of the run context that follows from the job and its lease. */
export type JobContexts = Pick<
  RunContext,
  "spec" | "ledger" | "lease" | "clock" | "signal" | "gate" | "stages" | "referenceChecks"
>;

/** Builds the contexts of a job held under `lease`. The requests of each stage pass that stage's throttler. */
export function jobContexts(
  parts: JobParts,
  spec: JobSpec,
  lease: Lease,
  counters: Counters,
  run: RunHandles,
): JobContexts {
  const { clock, ledger, connections } = parts;
  const { settings, stalls = new JobStallDetectors(), signal } = run;
  const relocation = new Relocation(spec);
  const gate = gateOf(objectionsTo(parts, spec, lease, settings));
  const referenceChecks = new ReferenceChecks(clock);
  // Opened once for all stages: a table's structure is read before its first statement.
  const tableOf = (reference: ReferenceSpec) => connections.reference(reference, counters.statements);
  const tables = spec.references.map(tableOf);
  const databases = spec.references.map(({ database }) => database);
  const referencesBy = (wrap: (table: ReferenceTable) => ReferenceTable): JobReference[] =>
    spec.references.map(({ urlPrefix }, index) => ({
      table: wrap(tables[index] as ReferenceTable),
      urlPrefix,
    }));

  /** The members shared by the stages that obey the windows and limits of `stage`. */
  const boundAs = (stage: WorkStage) => {
    const throttler = settings.throttlers[stage];
    const store = governedStores(parts, counters.requests, {
      settings,
      stalls: stalls.stores,
      throttler,
      run,
    });
    const guardedUntil = (until: AbortSignal) => (table: ReferenceTable) =>
      settings.guards.guarded(table, stage, {
        ...{ inFlight: settings.inFlight, confirmLease: () => run.confirmLease() },
        stalls: stalls.database(table.database),
        signal: until,
      });
    const buckets = {
      ...{ relocation, clock, signal, concurrency: settings.concurrency },
      source: store(spec.source.store),
      target: store(spec.target.store),
    };
    const references = {
      references: referencesBy(guardedUntil(signal)),
      nonCanonicalUrls: openNonCanonicalUrls(spec, clock, (table) => guardedUntil(signal)(tableOf(table))),
    };
    const rows = {
      rowLimit: settings.rowLimit,
      databasesReady: () => settings.guards.ready(databases, stage),
      whileRateLimited: (wait: () => Promise<void>) => throttler.whileRateLimited(wait),
      onRowsChanged: () => {},
      confirmLease: run.confirmLease,
    };
    return {
      store,
      buckets,
      references,
      rows,
      referencesUntil: (until: AbortSignal) => referencesBy(guardedUntil(until)),
    };
  };
  const copying = boundAs("copy");
  const updating = boundAs("update");
  const deleting = boundAs("delete");
  const { inventory } = spec;
  const plan: StageContexts["plan"] = {
    ...{ ...copying.buckets, ...copying.references, spec, filter: keyFilterOf(spec.filter) },
    manifest: parts.manifestReader(
      inventory.from === "manifest" ? copying.store(inventory.store) : copying.buckets.source,
    ),
    lastPlanned: (keys) => ledger.lastPlanned(lease.jobId, keys),
    until: (until) => ({ ...plan, signal: until, references: copying.referencesUntil(until) }),
  };
  const stages: StageContexts = {
    plan,
    copy: {
      ...{ ...copying.buckets, ...copying.references, spec },
      engine: parts.copyEngine(copying.buckets.source, settings.concurrency),
      plannedBefore: (keys, seq) => ledger.plannedBefore(lease.jobId, keys, seq),
      onCopied: () => {},
    },
    verify: { ...copying.buckets, verify: spec.verify },
    update: { ...updating.buckets, ...updating.references, ...updating.rows },
    delete: {
      ...{ ...deleting.buckets, ...deleting.references, ...deleting.rows, referenceChecks },
      deleteWhen: spec.delete.when,
      deletionSize: run.deletionSize ?? new DeletionSize(),
      objection: () => gate.ask({ stage: "delete", at: clock.now() }),
      unbound: () => ({
        ...{ relocation, clock, ...deleting.rows },
        signal: new AbortController().signal,
        references: referencesBy((table) => table),
        nonCanonicalUrls: new NonCanonicalUrls([], clock),
        whileRateLimited: (wait) => wait(),
        databasesReady: async () => {},
      }),
    },
  };
  return { spec, ledger, lease, clock, signal, gate, stages, referenceChecks };
}

/** The gate's objections to starting a stage: closed windows, a missing approval. */
function objectionsTo(
  { ledger }: JobParts,
  spec: JobSpec,
  { jobId }: Lease,
  settings: LiveSettings,
): readonly Objection[] {
  const isOpen: Objection = ({ stage, at }) => settings.windows.observe(BOUND_WITH[stage])(at);
  const isApproved = async () => ((await ledger.job(jobId))?.approvedAt ?? null) !== null;
  return spec.delete.when === "approved" ? [isOpen, untilApproved(isApproved)] : [isOpen];
}

/** The entry of `windows.stages` that applies to a stage: planning and verifying go with copying. */
const BOUND_WITH: Readonly<Record<Stage, WorkStage>> = {
  plan: "copy",
  copy: "copy",
  verify: "copy",
  update: "update",
  delete: "delete",
};

/** The reader of non-canonical URLs, over every URL reference, without the `where` conditions. */
function openNonCanonicalUrls(
  spec: JobSpec,
  clock: Clock,
  tableOf: (reference: ReferenceSpec) => ReferenceTable,
): NonCanonicalUrls {
  const tables = spec.references.flatMap((reference) => {
    const { urlPrefix } = reference;
    return urlPrefix === null ? [] : [{ table: tableOf({ ...reference, where: {} }), urlPrefix }];
  });
  return new NonCanonicalUrls(tables, clock);
}

/** Opens stores by name under the job's limits, which all its stores share, and each store's own. */
export function governedStores(
  parts: JobParts,
  requests: RequestCounts,
  by: {
    readonly settings: LiveSettings;
    readonly stalls: StallDetector;
    readonly throttler?: Throttler;
    readonly run?: RunHandles;
  },
): (name: string) => GovernedObjectStore {
  const { clock, governors, connections } = parts;
  const { settings, stalls, throttler, run } = by;
  return (name) => {
    const store = connections.store(name, requests, run?.mayWrite);
    const shared = governors.limitsOf(name, connections.storeLimits(name)).of(settings);
    return new GovernedObjectStore({
      ...{ store, clock, stalls },
      inFlight: settings.inFlight,
      fairQueue: governors.fairQueue(clock),
      requestLimits: [settings.requestLimit, shared.requests],
      byteLimits: [settings.byteLimit, shared.bytes],
      governorOf: (bucket) => governors.of(store.endpoint, bucket),
      ...(throttler === undefined ? {} : { throttler }),
      confirmCopy: run?.confirmCopy,
      onRequest: run?.onRequest,
    });
  };
}

/** Requests a second of a preflight at least, however low the job's own limit: a user waits for the answer. */
const LEAST_PREFLIGHT_PER_SECOND = 10;

/** The governed stores of preflight, by name. */
export function storesForLooking(parts: JobParts, spec: JobSpec): (name: string) => GovernedObjectStore {
  const settings = settingsForLooking(parts, spec, new AbortController().signal);
  return governedStores(parts, noRequests(), { settings, stalls: new JobStallDetectors().stores });
}

/** Settings of preflight and submission: the job's limits, without windows and database guards. */
export function settingsForLooking(parts: JobParts, spec: JobSpec, signal: AbortSignal): LiveSettings {
  const { maxExceptionRatio } = spec.guards;
  const { requestsPerSecond: limit } = spec.limits;
  const requestsPerSecond = limit === null ? null : Math.max(limit, LEAST_PREFLIGHT_PER_SECOND);
  const limits = { ...spec.limits, requestsPerSecond };
  const unbound = { ...spec, limits, windows: null, guards: { database: null, maxExceptionRatio } };
  return new LiveSettings(parts, { spec: unbound, windowsIgnoredUntil: null }, { signal, isPreflight: true });
}
