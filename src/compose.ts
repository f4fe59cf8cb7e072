/** `compose`: creates the concrete adapters and connects them; no other file names them. */

import { hostname } from "node:os";
import type { FastifyInstance } from "fastify";
import { type Logger, pino } from "pino";
import { awsEngines } from "./aws-engines.ts";
import type { Config } from "./config.ts";
import { DomainError } from "./domain/errors.ts";
import { isFinished } from "./domain/job-state.ts";
import { ServiceEngine } from "./engines/service-engine.ts";
import type { JobParts } from "./jobs/job-parts.ts";
import type { Jobs } from "./jobs/jobs.ts";
import { BucketGovernors } from "./jobs/run/bucket-governors.ts";
import { Scheduler } from "./jobs/run/scheduler.ts";
import { createJobs } from "./jobs/submit/create-jobs.ts";
import { continueOrSubmit, takeFileSettings, waitForLease } from "./jobs/submit/run-to-end.ts";
import type { JobView } from "./jobs/view/job-view.ts";
import { readLedgerAddress } from "./stores/ledger/ledger-address.ts";
import { openLedger } from "./stores/ledger/open-ledger.ts";
import { luxonCalendar } from "./stores/luxon-calendar.ts";
import { csvManifest } from "./stores/manifest/csv-manifest.ts";
import { openConnections } from "./stores/open-connections.ts";
import { systemClock } from "./stores/system-clock.ts";
import { VERSION } from "./version.ts";

/** The wired service. */
export interface Tranship {
  readonly jobs: Jobs;
  readonly log: Logger;
  /** Claims and runs queued and unfinished jobs until {@link Tranship.close}. */
  startScheduler(): void;
  /**
   * Finds the unfinished job of the same spec, or submits a new one, and works on it here until it ends or `signal`
   * aborts. Throws `invalid_input` for an invalid job and `conflict` when another process works on it.
   */
  runToEnd(
    input: unknown,
    options: {
      readonly actor: string;
      readonly signal: AbortSignal;
      readonly onProgress?: (view: JobView) => void;
    },
  ): Promise<JobView>;
  /** The HTTP server, not yet listening. */
  server(): Promise<FastifyInstance>;
  /**
   * The store of a finished job, and the tokens of its consignments: what engines on AWS may have kept of it is found by them.
   * Throws `not_found`, and `state_conflict` for a job that has not finished or whose copies may still be under way.
   */
  keptOnAws(id: string): Promise<{ readonly store: string; readonly tokens: readonly string[] }>;
  /** Lets in-flight requests finish, saves the state, and closes ledger and connections. */
  close(): Promise<void>;
}

export interface Purpose {
  /** Whether jobs are run: an SQLite ledger admits one such process at a time. */
  readonly works: boolean;
}

/** Builds the service that `config` describes. Logs go to stderr. Throws like {@link openLedger}. */
export async function compose(config: Config, { works }: Purpose): Promise<Tranship> {
  const log = pino({ level: config.logLevel, base: null }, pino.destination({ fd: 2, sync: true }));
  const ledger = await openLedger(config.progress, { works });
  const connections = openConnections(config);
  const leaseMs = config.leaseSeconds * 1000;
  const owner = `${hostname()}/${process.pid}/${crypto.randomUUID().slice(0, 8)}`;
  const sharing = {
    ...{ ledger, clock: systemClock, owner, validMs: leaseMs },
    onFailure: (err: unknown) =>
      log.warn({ event: "share_failed", err }, "the share of a store's limits was not confirmed"),
  };
  // An SQLite ledger admits one working process, so limits need no sharing.
  const isAlone = readLedgerAddress(config.progress).kind === "sqlite";
  const governors = new BucketGovernors(isAlone ? null : sharing);
  const parts: JobParts = {
    clock: systemClock,
    calendar: luxonCalendar,
    leaseMs,
    ledger,
    connections,
    governors,
    copyEngine: (store, concurrency) => new ServiceEngine(store, concurrency),
    consignmentEngines: awsEngines(config.stores),
    manifestReader: csvManifest,
  };
  const scheduler = new Scheduler(parts, owner, log);
  const jobs = createJobs(parts, scheduler);
  return {
    jobs,
    log,
    startScheduler: () => scheduler.start(),
    async runToEnd(input, { actor, signal, onProgress }) {
      const id = await continueOrSubmit(parts, input, actor);
      const stop = () => void scheduler.close();
      signal.addEventListener("abort", stop, { once: true });
      const report = setInterval(() => {
        // Progress is informational: an unavailable ledger must not end the run.
        if (onProgress !== undefined) jobs.get(id).then(onProgress, () => {});
      }, 200);
      try {
        await waitForLease(parts, id, signal);
        if (!signal.aborted) await takeFileSettings(parts, id, input, actor);
        if (signal.aborted) await scheduler.close();
        else if ((await scheduler.runNow(id)) === null) throw heldElsewhere(id);
      } finally {
        clearInterval(report);
        signal.removeEventListener("abort", stop);
      }
      return jobs.get(id);
    },
    async server() {
      // Loaded on demand: a job in the foreground does not need it and starts sooner.
      const { buildServer } = await import("./http/server.ts");
      return buildServer({ jobs, tokens: config.tokens, logger: log, version: VERSION });
    },
    async keptOnAws(id) {
      const { state, spec } = await jobs.get(id);
      const consignments = await ledger.consignments(id);
      if (!isFinished(state))
        throw new DomainError("state_conflict", `job ${id} is ${state}; it must have ended`);
      if (consignments.some((one) => one.state === "open")) {
        throw new DomainError("state_conflict", `copies of job ${id} may still be under way`);
      }
      return { store: spec.source.store, tokens: consignments.map(({ token }) => token) };
    },
    async close() {
      await scheduler.close();
      await governors.close();
      await connections.close();
      await ledger.close();
    },
  };
}

function heldElsewhere(id: string): DomainError {
  return new DomainError("conflict", `another process works on job ${id}; stop it there first, or watch it`);
}
