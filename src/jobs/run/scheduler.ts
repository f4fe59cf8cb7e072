/** `Scheduler`: claims and runs queued and unfinished jobs, up to a limit, and knows those that run in this process. */

import cron from "node-cron";
import { messageOf } from "../../domain/errors.ts";
import type { JobSpec } from "../../domain/job-spec.ts";
import { isRunnable, JOB_STATES } from "../../domain/job-state.ts";
import type { JobRecord } from "../../ports/ledger.ts";
import type { JobParts } from "../job-parts.ts";
import { overlapOf } from "../submit/opposite-jobs.ts";
import { claimJob } from "./claim-job.ts";
import type { JobRun } from "./job-runner.ts";
import type { RunnerLog } from "./run-cause.ts";

/** Jobs that work at once in one process; each has its own limits, and they share the buckets' governors. */
const MOST_JOBS = 8;
const EVERY_SECOND = "* * * * * *";

interface Running {
  readonly run: JobRun;
  readonly spec: JobSpec;
  readonly ended: Promise<unknown>;
}

/** The jobs that run in this process. */
export class Scheduler {
  readonly #parts: JobParts;
  readonly #owner: string;
  readonly #log: RunnerLog;
  readonly #running = new Map<string, Running>();
  #task: { stop(): unknown } | null = null;
  #tick: Promise<void> | null = null;
  #closing = false;

  constructor(parts: JobParts, owner: string, log: RunnerLog) {
    this.#parts = parts;
    this.#owner = owner;
    this.#log = log;
  }

  /** Looks for runnable jobs now and every second. */
  start(): void {
    this.#task = cron.schedule(EVERY_SECOND, () => this.lookForWork());
    this.lookForWork();
  }

  /** The run of job `id` when it runs in this process, else null. */
  running(id: string): JobRun | null {
    return this.#running.get(id)?.run ?? null;
  }

  /** Looks for runnable jobs now, if started; never twice at once. */
  lookForWork(): void {
    if (this.#task === null || this.#closing || this.#tick !== null) return;
    this.#tick = this.#takeUp()
      .catch((error: unknown) => {
        this.#log.warn({ event: "scheduler_failed", err: error }, messageOf(error));
      })
      .finally(() => {
        this.#tick = null;
      });
  }

  /** Claims and runs job `id` in this process now; null when it cannot be claimed. Resolves when the run has ended. */
  async runNow(id: string): Promise<JobRun | null> {
    const job = await this.#parts.ledger.job(id);
    const started = job === null ? null : await this.#begin(job);
    await started?.ended;
    return started?.run ?? null;
  }

  /** Stops all runs and resolves when their last in-flight request has ended. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#parts.ledger.hurry();
    this.#task?.stop();
    for (const { run } of this.#running.values()) run.shutDown();
    await this.#tick;
    for (const { run } of this.#running.values()) run.shutDown();
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  async #takeUp(): Promise<void> {
    const states = JOB_STATES.filter(isRunnable);
    const runnable: JobRecord[] = [];
    for (let cursor: string | null = null; ; ) {
      const page = await this.#parts.ledger.jobs({ states, limit: 200, cursor });
      runnable.push(...page.items);
      cursor = page.next;
      if (cursor === null) break;
    }
    // Oldest first: the ledger lists the newest first.
    for (const job of runnable.toReversed()) {
      // A job in its grace period or outside its windows only waits and does not count.
      const working = [...this.#running.values()].filter(({ run }) => !run.isIdle).length;
      if (this.#closing || working >= MOST_JOBS) return;
      if (this.#mayBegin(job)) await this.#begin(job);
    }
  }

  #mayBegin(job: JobRecord): boolean {
    const isHeld = job.leaseUntil !== null && job.leaseUntil > this.#parts.clock.now();
    if (isHeld || this.#running.has(job.id)) return false;
    const overlap = overlapOf(this.#parts);
    const places = (spec: JobSpec) => [spec.source, spec.target];
    // Jobs over the same keys do not work at the same time: each would see the other's unfinished changes.
    const interferes = (spec: JobSpec) =>
      places(spec).some((a) => places(job.spec).some((b) => overlap(a, b)));
    return ![...this.#running.values()].some(({ run, spec }) => !run.isDeferred && interferes(spec));
  }

  async #begin(job: JobRecord): Promise<Running | null> {
    const run = await claimJob(this.#parts, job.id, this.#owner, this.#log);
    if (run === null) return null;
    const ended = run
      .run()
      .catch((error: unknown) => {
        // The ledger is unavailable: the lease expires and the job is claimed again.
        this.#log.error({ event: "run_failed", jobId: job.id, err: error }, messageOf(error));
      })
      .finally(() => this.#running.delete(job.id));
    const running = { run, spec: job.spec, ended };
    this.#running.set(job.id, running);
    return running;
  }
}
