/** Runs one job under a lease: heartbeat, control by the operator, and the right end state. */

import type { Carrier } from "../conveyor/batch-carrier.ts";
import { runConveyor } from "../conveyor/conveyor.ts";
import { Holds } from "../conveyor/holds.ts";
import { UnrecordedCopies } from "../conveyor/live-tally.ts";
import { emptyTally, type Tally } from "../domain/batch.ts";
import { durationMs } from "../domain/duration.ts";
import { hasCode, messageOf } from "../domain/errors.ts";
import type { JobState } from "../domain/job-state.ts";
import type { JobRecord, Lease, RunReport } from "../ports/ledger.ts";
import { type Counters, type JobParts, jobContext } from "./job-context.ts";
import type { LiveProgress } from "./job-view.ts";
import { ProgressMeter } from "./progress-meter.ts";
import { completionOf, failureEnd, leftEnd, type RunEnd } from "./run-end.ts";

/** A crashed owner is replaced after this long; heartbeats come ten times as often. */
export const LEASE_MS = 10_000;
const HEARTBEAT_MS = 1_000;

/** Why a run is to end before its job does. */
type StopCause =
  | { readonly kind: "operator" }
  | { readonly kind: "shutdown" }
  | { readonly kind: "tripped"; readonly reason: string }
  | { readonly kind: "error"; readonly error: unknown };

export interface RunnerLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** One run of one job; `claim-job.ts` builds it. */
export class JobRun {
  readonly #parts: JobParts;
  readonly #lease: Lease;
  readonly #log: RunnerLog;
  readonly #record: JobRecord;
  readonly #stop = new AbortController();
  readonly #holds: Holds;
  readonly #counters: Counters;
  readonly #meter = new ProgressMeter();
  readonly #unrecorded = new UnrecordedCopies();
  readonly #startedAt: number;
  #tally: Tally = emptyTally();
  #atStart: Tally = emptyTally();
  #cause: StopCause | null = null;
  #renewedAt: number;
  #poke: () => void = () => {};

  constructor(parts: JobParts, record: JobRecord, lease: Lease, log: RunnerLog) {
    this.#parts = parts;
    this.#record = record;
    this.#lease = lease;
    this.#log = log;
    this.#holds = new Holds(parts.clock);
    this.#counters = { requests: { ...record.requests }, statements: { ...record.statements } };
    this.#startedAt = parts.clock.now();
    this.#renewedAt = this.#startedAt;
  }

  get jobId(): string {
    return this.#lease.jobId;
  }

  /** What this process knows of the job before the ledger does. */
  live(): LiveProgress {
    const { requests, statements } = this.#counters;
    const tally = this.#unrecorded.addedTo(this.#tally);
    return { tally, ...this.#meter.rate(), requests, statements, activeMs: this.#activeMs() };
  }

  /** Whether all that is left to do waits for the end of a grace period or for an approval. */
  get isParked(): boolean {
    const reason = this.#holds.waiting?.reason;
    return reason === "grace" || reason === "approval";
  }

  /** Lets in-flight requests finish and leaves the job to be taken up again. */
  shutDown(): void {
    this.#halt({ kind: "shutdown" });
  }

  /** Looks at the ledger now instead of at the next heartbeat: an operator has just changed something. */
  lookNow(): void {
    this.#poke();
  }

  /** Works until the job ends or is stopped; gives the state the job was left in. */
  async run(): Promise<JobState> {
    const { ledger, clock } = this.#parts;
    const { jobId } = this.#lease;
    this.#obey(this.#record.state);
    const ended = new AbortController();
    const heartbeat = this.#beat(ended.signal);
    try {
      this.#tally = await ledger.tally(jobId);
      this.#atStart = { ...this.#tally };
      this.#meter.sample(this.#tally, clock.now());
      if (!this.#stop.signal.aborted) {
        await runConveyor(this.#carrier(), this.#record.planDone, (error) =>
          this.#halt({ kind: "error", error }),
        );
      }
    } catch (error) {
      if (this.#cause === null) this.#cause = { kind: "error", error };
    } finally {
      ended.abort();
      await heartbeat;
    }
    return this.#settle();
  }

  #carrier(): Carrier {
    const { spec } = this.#record;
    const run = { signal: this.#stop.signal, throttling: this.#holds.throttling };
    const confirmLease = () => this.#confirmLease();
    const context = jobContext(this.#parts, spec, this.#lease, this.#counters, { ...run, confirmLease });
    return {
      context,
      holds: this.#holds,
      tally: this.#tally,
      unrecorded: this.#unrecorded,
      graceMs: durationMs(spec.delete.after),
      onStage: (batch, stage) => {
        this.#log.info({ event: "batch_stage", jobId: batch.jobId, batch: batch.seq, stage }, "stage done");
        this.#watchExceptions();
      },
    };
  }

  /** The guard of the exception ratio; it speaks only after enough objects to mean something. */
  #watchExceptions(): void {
    const limit = this.#record.spec.guards.maxExceptionRatio;
    // Counted from this run's start: who resumes a job after a look has taken note of what there was.
    const exceptions = this.#tally.exceptions - this.#atStart.exceptions;
    const settled = settledSoFar(this.#tally) - settledSoFar(this.#atStart);
    if (limit === null || settled < 100 || exceptions / settled <= limit) return;
    const percent = ((100 * exceptions) / settled).toFixed(1);
    const reason = `${percent} % of the objects are exceptions; guards.maxExceptionRatio allows ${limit * 100} %`;
    this.#halt({ kind: "tripped", reason });
  }

  #halt(cause: StopCause): void {
    // The first cause counts; what follows ("stopped" errors) are its consequences.
    this.#cause ??= cause;
    this.#stop.abort();
  }

  #obey(state: JobState): void {
    if (state === "running" || state === "waiting" || state === "queued") return;
    this.#halt({ kind: "operator" });
  }

  async #beat(ended: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    while (!ended.aborted) {
      const pause = new AbortController();
      this.#poke = () => pause.abort();
      await clock.sleep(HEARTBEAT_MS, AbortSignal.any([ended, pause.signal]));
      if (ended.aborted) return;
      this.#meter.sample(this.#unrecorded.addedTo(this.#tally), clock.now());
      try {
        await this.#renew();
      } catch (error) {
        this.#heartbeatFailed(error);
      }
    }
  }

  /** A ledger that is away for a moment is waited for; one that stays away longer than the lease ends the run. */
  #heartbeatFailed(error: unknown): void {
    const outdated = this.#parts.clock.now() - this.#renewedAt > LEASE_MS;
    if (hasCode(error, "lease_lost") || outdated) this.#halt({ kind: "error", error });
    this.#log.warn({ event: "heartbeat_failed", jobId: this.jobId, err: error }, "the lease was not renewed");
  }

  async #renew(): Promise<void> {
    const at = this.#parts.clock.now();
    const waiting = this.#holds.waiting;
    const state = waiting === null ? "running" : "waiting";
    const job = await this.#parts.ledger.renew(
      this.#lease,
      { state, waiting, ...this.#report() },
      at,
      LEASE_MS,
    );
    this.#renewedAt = at;
    this.#obey(job.state);
  }

  async #confirmLease(): Promise<void> {
    if (this.#parts.clock.now() - this.#renewedAt > LEASE_MS / 2) await this.#renew();
  }

  #report(): Omit<RunReport, "state" | "waiting"> {
    const { requests, statements } = this.#counters;
    return { requests, statements, activeMs: this.#activeMs() };
  }

  #activeMs(): number {
    return this.#record.activeMs + (this.#parts.clock.now() - this.#startedAt);
  }

  async #settle(): Promise<JobState> {
    const end = await this.#endState();
    if (end === null) return this.#record.state;
    const report = this.#report();
    await this.#parts.ledger.release(this.#lease, { ...end, waiting: null, report }, this.#parts.clock.now());
    const level = end.state === "failed" ? "error" : "info";
    this.#log[level]({ event: "job_left", jobId: this.jobId, ...end }, `job ${end.state}`);
    return end.state;
  }

  /** Null when the job is no longer ours: then nothing may be written. */
  async #endState(): Promise<RunEnd | null> {
    const cause = this.#cause;
    if (cause === null) return this.#completion();
    if (cause.kind === "tripped") return { state: "paused", reason: cause.reason };
    if (cause.kind !== "error") return this.#leftState();
    if (hasCode(cause.error, "lease_lost")) {
      this.#log.warn({ event: "lease_lost", jobId: this.jobId }, "another instance has taken the job over");
      return null;
    }
    this.#log.error({ event: "job_error", jobId: this.jobId, err: cause.error }, messageOf(cause.error));
    if (hasCode(cause.error, "ledger_unavailable")) return this.#leftState();
    return failureEnd(cause.error);
  }

  /** What the operator asked for last counts; without a wish of his the job is queued, to be taken up again. */
  async #leftState(): Promise<RunEnd> {
    return leftEnd(await this.#parts.ledger.job(this.jobId));
  }

  /** Nothing is left to do: the ledger's sums decide how it ends. */
  async #completion(): Promise<RunEnd> {
    this.#tally = await this.#parts.ledger.tally(this.jobId);
    const end = completionOf(this.#tally);
    if (this.#tally.planned === 0)
      this.#log.warn({ event: "nothing_to_do", jobId: this.jobId }, end.reason ?? "");
    return end;
  }
}

/** Objects that are through as far as they can be for now: while sources are kept, those whose rows are updated. */
function settledSoFar({ moved, skipped, exceptions, updated }: Tally): number {
  return Math.max(moved + skipped, updated) + exceptions;
}
