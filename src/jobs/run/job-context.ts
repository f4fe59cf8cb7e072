/** Gathers what the stages of one job need: its stores and tables, its limits, its gate. */

import type { Stage } from "../../domain/batch.ts";
import type { JobSpec, ReferenceSpec, WorkStage } from "../../domain/job-spec.ts";
import { DeletionSize } from "../../domain/rates/deletion-size.ts";
import { gateOf, type Question, untilApproved } from "../../pacing/gate.ts";
import { GovernedObjectStore } from "../../pacing/governed-object-store.ts";
import { JobStallDetectors, type StallDetector } from "../../pacing/stall-detector.ts";
import type { Throttler } from "../../pacing/throttler.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Lease } from "../../ports/ledger.ts";
import { noRequests, type RequestCounts } from "../../ports/object-store.ts";
import type { ReferenceTable } from "../../ports/reference-table.ts";
import { NonCanonicalUrls } from "../../stages/non-canonical-urls.ts";
import { ReferenceChecks } from "../../stages/reference-checks.ts";
import type { StageContext } from "../../stages/stage-context.ts";
import type { Counters, JobParts } from "../job-parts.ts";
import { keyFilterOf } from "../submit/key-filter.ts";
import { LiveSettings } from "./live-settings.ts";

/** What a run gives to what works for it. */
export interface RunHandles {
  readonly settings: LiveSettings;
  readonly signal: AbortSignal;
  readonly deletionSize?: DeletionSize;
  readonly stalls?: JobStallDetectors;
  confirmLease(): Promise<void>;
  /** Null: at once. */
  confirmCopy?(): Promise<void> | null;
  mayWrite?(): boolean;
  /** Told of each request that was sent. */
  onRequest?(): void;
}

/** The stages' contexts for a job held under `lease`: each stage's requests pass the throttler of its own. */
export function jobContexts(
  parts: JobParts,
  spec: JobSpec,
  lease: Lease,
  counters: Counters,
  run: RunHandles,
): Readonly<Record<WorkStage, StageContext>> {
  const { clock, ledger, connections } = parts;
  const { settings, stalls = new JobStallDetectors() } = run;
  const { inventory } = spec;
  const isApproved = async () => ((await ledger.job(lease.jobId))?.approvedAt ?? null) !== null;
  const isOpen = ({ stage, at }: Question) => settings.windows.observe(BOUND_WITH[stage])(at);
  const approval = spec.delete.when === "approved" ? [untilApproved(isApproved)] : [];
  const shared = {
    ...{ spec, lease, clock, ledger },
    referenceChecks: new ReferenceChecks(clock),
    filter: keyFilterOf(spec.filter),
    gate: gateOf([isOpen, ...approval]),
    concurrency: settings.concurrency,
    rowLimit: settings.rowLimit,
    deletionSize: run.deletionSize ?? new DeletionSize(),
    onCopied: () => {},
    onRowsChanged: () => {},
    confirmLease: run.confirmLease,
    signal: run.signal,
  };
  // Opened once for all stages: a table's shape is read at its first statement.
  const tableOf = (reference: ReferenceSpec) => connections.reference(reference, counters.statements);
  const tables = spec.references.map(tableOf);
  const databases = spec.references.map(({ database }) => database);
  const handles = { inFlight: settings.inFlight, confirmLease: () => run.confirmLease() };
  const contextOf = (stage: WorkStage): StageContext => {
    const stores = governedStores(parts, counters.requests, {
      settings,
      stalls: stalls.stores,
      throttler: settings.throttlers[stage],
      run,
    });
    const guardedUntil = (signal: AbortSignal) => (table: ReferenceTable) =>
      settings.guards.guarded(table, stage, {
        ...handles,
        stalls: stalls.database(table.database),
        signal,
      });
    const guarded = guardedUntil(run.signal);
    const context: StageContext = {
      ...shared,
      source: stores(spec.source.store),
      target: stores(spec.target.store),
      manifest: parts.manifestReader(
        stores(inventory.from === "manifest" ? inventory.store : spec.source.store),
      ),
      references: tables.map(guarded),
      nonCanonicalUrls: openNonCanonicalUrls(spec, clock, (table) => guarded(tableOf(table))),
      whileRateLimited: (wait) => settings.throttlers[stage].whileRateLimited(wait),
      databasesReady: () => settings.guards.ready(databases, stage),
      unbound: () => ({
        ...context,
        signal: new AbortController().signal,
        references: tables,
        nonCanonicalUrls: new NonCanonicalUrls([], clock),
        whileRateLimited: (wait) => wait(),
        databasesReady: async () => {},
      }),
      until: (signal) => ({ ...context, signal, references: tables.map(guardedUntil(signal)) }),
    };
    return context;
  };
  return { copy: contextOf("copy"), update: contextOf("update"), delete: contextOf("delete") };
}

/** By which of a job's bindings a stage is bound: reading and comparing are part of copying. */
const BOUND_WITH: Readonly<Record<Stage, WorkStage>> = {
  plan: "copy",
  copy: "copy",
  verify: "copy",
  update: "update",
  delete: "delete",
};

/** The conveyor's reader of non-canonical URLs, over every URL reference whatever its rows' other columns hold. */
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

/** Opens stores by name under the job's own limits and the store's; one limit for all stores of a job. */
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

/** Requests a second that somebody who waits for a preflight is given, however slow the job itself is to be. */
const LEAST_LOOKS_PER_SECOND = 10;

/** The governed stores for looking around before a job is one. */
export function storesForLooking(parts: JobParts, spec: JobSpec): (name: string) => GovernedObjectStore {
  const settings = settingsForLooking(parts, spec, new AbortController().signal);
  return governedStores(parts, noRequests(), { settings, stalls: new JobStallDetectors().stores });
}

/** Settings for looking around before a job is one: its limits, and neither windows nor guards. */
export function settingsForLooking(parts: JobParts, spec: JobSpec, signal: AbortSignal): LiveSettings {
  const { maxExceptionRatio } = spec.guards;
  const { requestsPerSecond: limit } = spec.limits;
  const requestsPerSecond = limit === null ? null : Math.max(limit, LEAST_LOOKS_PER_SECOND);
  const limits = { ...spec.limits, requestsPerSecond };
  const unbound = { ...spec, limits, windows: null, guards: { database: null, maxExceptionRatio } };
  return new LiveSettings(parts, { spec: unbound, windowsIgnoredUntil: null }, { signal, isLook: true });
}
