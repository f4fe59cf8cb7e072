/** Runs one job under a lease: heartbeat, control by the operator, and the right end state. */

import { runConveyor } from "../../conveyor/conveyor.ts";
import { JobTime } from "../../conveyor/job-time.ts";
import { UnrecordedCopies, UnrecordedRows } from "../../conveyor/live-tally.ts";
import type { RunContext } from "../../conveyor/run-context.ts";
import { WaitTracker } from "../../conveyor/wait-tracker.ts";
import { durationMs } from "../../domain/duration.ts";
import { hasCode } from "../../domain/errors.ts";
import type { JobState, Waiting } from "../../domain/job-state.ts";
import { DeletionSize } from "../../domain/rates/deletion-size.ts";
import { emptyTally, type Tally } from "../../domain/tally.ts";
import type { JobRecord, Lease, RunReport } from "../../ports/ledger.ts";
import type { Counters, JobParts } from "../job-parts.ts";
import type { LiveProgress } from "../view/job-view.ts";
import { clockNotes } from "./clock-notes.ts";
import { ExceptionWatch } from "./exception-watch.ts";
import { HeldLease } from "./held-lease.ts";
import { jobContexts } from "./job-context.ts";
import { LiveSettings } from "./live-settings.ts";
import { missingRightNotes } from "./missing-right-notes.ts";
import { ProgressMeter } from "./progress-meter.ts";
import type { RunnerLog, StopCause } from "./run-cause.ts";
import { refuseUnsafe } from "./run-end.ts";
import { settlementOf } from "./run-settlement.ts";
import { SentRecord } from "./sent-record.ts";
import { SilenceLog } from "./silence-log.ts";

/** Renewals write to one table; all of them are looked at every so many heartbeats. */
const LEDGER_CHECK_BEATS = 4;

/** One run of one job; `claim-job.ts` builds it. */
export class JobRun {
  readonly #parts: JobParts;
  readonly #lease: Lease;
  readonly #held: HeldLease;
  readonly #log: RunnerLog;
  readonly #record: JobRecord;
  readonly #stop = new AbortController();
  readonly #waits: WaitTracker;
  readonly #counters: Counters;
  readonly #meter = new ProgressMeter();
  readonly #unrecorded = new UnrecordedCopies();
  /** On the monotonic clock. */
  readonly #startedAt: number;
  readonly #time: JobTime;
  readonly #settings: LiveSettings;
  readonly #watch: ExceptionWatch;
  readonly #silences: SilenceLog;
  readonly #sent: SentRecord;
  readonly #deletionSize = new DeletionSize();
  #tally: Tally = emptyTally();
  #cause: StopCause | null = null;
  #version: number;
  #poke: () => void = () => {};

  constructor(parts: JobParts, record: JobRecord, lease: Lease, log: RunnerLog) {
    this.#parts = parts;
    this.#record = record;
    this.#lease = lease;
    this.#held = new HeldLease(parts, lease);
    this.#log = log;
    this.#waits = new WaitTracker(parts.clock);
    this.#counters = { requests: { ...record.requests }, statements: { ...record.statements } };
    this.#sent = new SentRecord(parts.ledger, lease, this.#counters, () => this.#settings.places);
    this.#startedAt = parts.clock.monotonic();
    this.#time = new JobTime(
      parts.clock,
      { lagMs: record.clockLagMs, seenUntil: record.updatedAt },
      clockNotes(parts, lease.jobId, log),
    );
    this.#version = record.version;
    this.#silences = new SilenceLog(this.#waits.stalls, parts.clock, lease.jobId, log);
    this.#watch = new ExceptionWatch(parts.ledger, lease.jobId, parts.clock.now());
    this.#settings = new LiveSettings(parts, record, {
      signal: this.#stop.signal,
      onMissingRight: missingRightNotes(parts, lease.jobId, log),
    });
  }

  get jobId(): string {
    return this.#lease.jobId;
  }

  /** What this process knows of the job before the ledger does. */
  live(): LiveProgress {
    const tally = this.#unrecorded.addedTo(this.#tally);
    return { tally, ...this.#meter.rate(), pulse: this.#meter.pulse, ...this.#report() };
  }

  /** Whether all that is left to do waits for the end of a grace period or for an approval. */
  get isParked(): boolean {
    const reason = this.#waits.waiting?.reason;
    return reason === "grace" || reason === "approval";
  }

  /** Whether it does nothing and will not for a while: such jobs keep no other from its work. */
  get isIdle(): boolean {
    return this.isParked || this.#waiting?.reason === "window";
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
    const { ledger } = this.#parts;
    const { jobId } = this.#lease;
    this.#obey(this.#record.state);
    const ended = new AbortController();
    const heartbeat = this.#beat(ended.signal);
    try {
      refuseUnsafe(this.#record.spec);
      this.#tally = await ledger.tally(jobId);
      this.#watch.begin(this.#tally);
      this.#measure(this.#tally, false);
      if (!this.#stop.signal.aborted) {
        await runConveyor(this.#run(), this.#record, (error) => this.#halt({ kind: "error", error }));
      }
    } catch (error) {
      if (this.#cause === null) this.#cause = { kind: "error", error };
    } finally {
      ended.abort();
      this.#poke();
      await heartbeat;
      this.#silences.look();
    }
    return this.#settle();
  }

  #run(): RunContext {
    const { spec } = this.#record;
    const contexts = jobContexts(this.#parts, spec, this.#lease, this.#counters, {
      settings: this.#settings,
      signal: this.#stop.signal,
      stalls: this.#waits.stalls,
      onRequest: this.#sent.note,
      deletionSize: this.#deletionSize,
      ...this.#held.questions(() => this.#renew()),
    });
    return {
      ...contexts,
      waits: this.#waits,
      tally: this.#tally,
      unrecorded: this.#unrecorded,
      rows: new UnrecordedRows(),
      graceMs: durationMs(spec.delete.after),
      time: this.#time,
      onStage: (batch, stage) => {
        this.#log.info({ event: "batch_stage", jobId: batch.jobId, batch: batch.seq, stage }, "stage done");
        void this.#watchExceptions();
      },
      onCountFailed: (err) =>
        this.#log.warn({ event: "count_failed", jobId: this.jobId, err }, "the inventory was not counted"),
    };
  }

  async #watchExceptions(): Promise<void> {
    const reason = await this.#watch.look(this.#tally, this.#settings.spec.guards.maxExceptionRatio);
    if (reason !== null) this.#halt({ kind: "tripped", reason });
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

  #measure(tally: Tally, isWaiting: boolean): void {
    const now = this.#parts.clock.now();
    this.#meter.sample(tally, now, isWaiting, this.#settings.windows.limitsAt(now));
  }

  async #beat(ended: AbortSignal): Promise<void> {
    for (let beats = 1; !ended.aborted; beats += 1) {
      const pause = new AbortController();
      this.#poke = () => pause.abort();
      await this.#parts.clock.sleep(this.#held.heartbeatMs, pause.signal);
      if (ended.aborted) return;
      this.#settings.refresh();
      this.#silences.look();
      this.#measure(this.#unrecorded.addedTo(this.#tally), this.#waiting !== null);
      try {
        await this.#renew();
        if (beats % LEDGER_CHECK_BEATS === 0) await this.#parts.ledger.ping();
      } catch (error) {
        this.#heartbeatFailed(error);
      }
    }
  }

  /** A ledger that is away for a moment is waited for; one that stays away longer than the lease ends the run. */
  #heartbeatFailed(error: unknown): void {
    if (hasCode(error, "lease_lost", "ledger_lost") || this.#held.isOutdated)
      this.#halt({ kind: "error", error });
    this.#log.warn({ event: "heartbeat_failed", jobId: this.jobId, err: error }, "the lease was not renewed");
  }

  async #renew(): Promise<void> {
    const waiting = this.#waiting;
    const state = waiting === null ? "running" : "waiting";
    const job = await this.#held.renew({ state, waiting, ...this.#report() });
    if (job.version !== this.#version) this.#settings.apply(job);
    this.#version = job.version;
    this.#obey(job.state);
  }

  /** What the job as a whole waits for: nothing begins, or nothing is left but what is held. */
  get #waiting(): Waiting | null {
    return this.#settings.waiting ?? this.#waits.waiting;
  }

  #report(): Omit<RunReport, "state" | "waiting"> {
    const { requests, statements } = this.#counters;
    return { requests, statements, activeMs: this.#activeMs(), clockLagMs: this.#time.lagMs };
  }

  #activeMs(): number {
    return this.#record.activeMs + Math.round(this.#parts.clock.monotonic() - this.#startedAt);
  }

  async #settle(): Promise<JobState> {
    const { ledger, clock } = this.#parts;
    const { jobId } = this;
    const run = { ledger, jobId, log: this.#log, cause: this.#cause, counted: this.#tally };
    const settled = await settlementOf(run);
    if (settled === null) return this.#record.state;
    const { end, tally } = settled;
    if (tally !== null) this.#tally = tally;
    await ledger.release(this.#lease, { ...end, waiting: null, report: this.#report() }, clock.now());
    const level = end.state === "failed" ? "error" : "info";
    // Where only looks guard deletions: what could be overwritten unnoticed, at the median.
    const deletionGapMs = this.#deletionSize.gap.medianMs;
    const gap = deletionGapMs === null ? {} : { deletionGapMs };
    this.#log[level]({ event: "job_left", jobId, ...end, ...gap }, `job ${end.state}`);
    return end.state;
  }
}
