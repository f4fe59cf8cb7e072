/** `JobRun`: runs one job under a lease, with heartbeats, operators' actions and the end state. */

import { runConveyor } from "../../conveyor/conveyor.ts";
import { JobTime } from "../../conveyor/job-time.ts";
import { UnrecordedCopies, UnrecordedRows } from "../../conveyor/live-tally.ts";
import type { Recalls } from "../../conveyor/recalls.ts";
import type { RunContext } from "../../conveyor/run-context.ts";
import { WaitTracker } from "../../conveyor/wait-tracker.ts";
import { hasCode } from "../../domain/errors.ts";
import { gracePeriodMs } from "../../domain/grace-period.ts";
import type { JobState, Waiting } from "../../domain/job-state.ts";
import { DeletionSize } from "../../domain/rates/deletion-size.ts";
import { emptyTally, type Tally } from "../../domain/tally.ts";
import type { JobRecord, Lease, RunReport } from "../../ports/ledger.ts";
import type { Counters, JobParts } from "../job-parts.ts";
import type { LiveProgress } from "../view/job-view.ts";
import { clockStepReporter } from "./clock-step-report.ts";
import { consigningOf } from "./consigning.ts";
import { ExceptionWatch } from "./exception-watch.ts";
import { HeldLease } from "./held-lease.ts";
import { jobContexts } from "./job-context.ts";
import { LiveSettings } from "./live-settings.ts";
import { missingRightReporter } from "./missing-right-report.ts";
import { ProgressMeter } from "./progress-meter.ts";
import { refuseUnsafe } from "./refuse-unsafe.ts";
import { endsCopies, type RunnerLog, type StopCause } from "./run-cause.ts";
import { logLeft, settlementOf } from "./run-settlement.ts";
import { SentRecord } from "./sent-record.ts";
import { SilenceLog } from "./silence-log.ts";

/** A renewal touches one table of the ledger; all tables are checked every so many heartbeats. */
const LEDGER_CHECK_HEARTBEATS = 4;

/** One run of one job; `claim-job.ts` builds it. */
export class JobRun {
  readonly #parts: JobParts;
  readonly #lease: Lease;
  readonly #held: HeldLease;
  readonly #log: RunnerLog;
  readonly #record: JobRecord;
  readonly #stop = new AbortController();
  /** Aborted with #stop where no copy may go on elsewhere either. */
  readonly #recall = new AbortController();
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
  #recalls: Recalls | null = null;
  #version: number;
  #wakeHeartbeat: () => void = () => {};

  constructor(parts: JobParts, record: JobRecord, lease: Lease, log: RunnerLog) {
    this.#parts = parts;
    this.#record = record;
    this.#lease = lease;
    this.#held = new HeldLease(parts, lease);
    this.#log = log;
    this.#waits = new WaitTracker(parts.clock);
    this.#counters = { requests: { ...record.requests }, statements: { ...record.statements } };
    this.#sent = new SentRecord(parts.ledger, lease, this.#counters, () => this.#settings.maxInFlight);
    this.#startedAt = parts.clock.monotonic();
    this.#time = new JobTime(
      parts.clock,
      { lagMs: record.clockLagMs, seenUntil: record.updatedAt },
      clockStepReporter(parts, lease.jobId, log),
    );
    this.#version = record.version;
    this.#silences = new SilenceLog(this.#waits.stalls, parts.clock, lease.jobId, log);
    this.#watch = new ExceptionWatch(parts.ledger, lease.jobId, parts.clock.now());
    this.#settings = new LiveSettings(parts, record, {
      signal: this.#stop.signal,
      onMissingRight: missingRightReporter(parts, lease.jobId, log),
    });
  }

  get jobId(): string {
    return this.#lease.jobId;
  }

  /** Progress that this process knows and the ledger does not have yet. */
  live(): LiveProgress {
    const tally = this.#unrecorded.addedTo(this.#tally);
    return { tally, ...this.#meter.rate(), measured: this.#meter.measured, ...this.#report() };
  }

  /** Whether all remaining work waits for the end of a grace period or for an approval. */
  get isDeferred(): boolean {
    const reason = this.#waits.waiting?.reason;
    return reason === "grace" || reason === "approval";
  }

  /** Whether the run only waits, for grace, approval or a window: such runs do not count against the limit of jobs. */
  get isIdle(): boolean {
    return this.isDeferred || this.#waiting?.reason === "window";
  }

  /** Lets in-flight requests finish and leaves the job `queued`. */
  shutDown(): void {
    this.#stopRun({ kind: "shutdown" });
  }

  /** Starts the next heartbeat now: the job was changed. */
  refreshNow(): void {
    this.#wakeHeartbeat();
  }

  /** Works until the job ends or is stopped; gives the state the job was left in. Throws when the ledger is unavailable. */
  async run(): Promise<JobState> {
    this.#applyState(this.#record.state);
    const ended = new AbortController();
    const heartbeat = this.#heartbeatLoop(ended.signal);
    try {
      refuseUnsafe(this.#record.spec, this.#parts);
      this.#tally = await this.#parts.ledger.tally(this.jobId);
      this.#watch.begin(this.#tally);
      this.#measure(this.#tally, false);
      if (!this.#stop.signal.aborted || this.#record.spec.engine !== "service") {
        const context = await this.#context();
        this.#recalls = context.consigning?.recalls ?? null;
        await runConveyor(context, this.#record, (error) => this.#stopRun({ kind: "error", error }));
      }
    } catch (error) {
      if (this.#cause === null) this.#cause = { kind: "error", error };
    } finally {
      ended.abort();
      this.#wakeHeartbeat();
      await heartbeat;
      this.#silences.check();
    }
    return this.#settle();
  }

  async #context(): Promise<RunContext> {
    const { spec } = this.#record;
    const contexts = jobContexts(this.#parts, spec, this.#lease, this.#counters, {
      ...{ settings: this.#settings, signal: this.#stop.signal, stalls: this.#waits.stalls },
      ...{ onRequest: this.#sent.note, deletionSize: this.#deletionSize },
      ...this.#held.checks(() => this.#renew()),
    });
    const run = { settings: this.#settings, store: contexts.stages.copy.source };
    return {
      ...contexts,
      consigning: await consigningOf(this.#parts, spec, { ...run, recall: this.#recall.signal }),
      waits: this.#waits,
      tally: this.#tally,
      unrecorded: this.#unrecorded,
      rows: new UnrecordedRows(),
      graceMs: gracePeriodMs(spec.delete),
      time: this.#time,
      onStage: (batch, stage) => {
        this.#log.info({ event: "batch_stage", jobId: batch.jobId, batch: batch.seq, stage }, "stage done");
        void this.#checkExceptions();
      },
      onCountFailed: (err) =>
        this.#log.warn({ event: "count_failed", jobId: this.jobId, err }, "the inventory was not counted"),
    };
  }

  async #checkExceptions(): Promise<void> {
    const reason = await this.#watch.check(this.#tally, this.#settings.spec.guards.maxExceptionRatio);
    if (reason !== null) this.#stopRun({ kind: "tripped", reason });
  }

  #stopRun(cause: StopCause): void {
    // The first cause counts; later ones ("stopped" errors) are its consequences.
    this.#cause ??= cause;
    if (endsCopies(this.#cause)) this.#recall.abort();
    this.#stop.abort();
  }

  #applyState(state: JobState): void {
    if (state === "running" || state === "waiting" || state === "queued") return;
    this.#stopRun({ kind: "operator" });
  }

  #measure(tally: Tally, isWaiting: boolean): void {
    const now = this.#parts.clock.now();
    this.#meter.sample(tally, now, isWaiting, this.#settings.windows.limitsAt(now));
  }

  async #heartbeatLoop(ended: AbortSignal): Promise<void> {
    for (let heartbeats = 1; !ended.aborted; heartbeats += 1) {
      const pause = new AbortController();
      this.#wakeHeartbeat = () => pause.abort();
      await this.#parts.clock.sleep(this.#held.heartbeatMs, pause.signal);
      if (ended.aborted) return;
      this.#settings.refresh();
      this.#silences.check();
      this.#measure(this.#unrecorded.addedTo(this.#tally), this.#waiting !== null);
      try {
        await this.#renew();
        if (heartbeats % LEDGER_CHECK_HEARTBEATS === 0) await this.#parts.ledger.ping();
      } catch (error) {
        this.#heartbeatFailed(error);
      }
    }
  }

  /** An unavailable ledger is tolerated until the lease is outdated; then the run ends. */
  #heartbeatFailed(error: unknown): void {
    if (hasCode(error, "lease_lost", "ledger_lost") || this.#held.isOutdated)
      this.#stopRun({ kind: "error", error });
    this.#log.warn({ event: "heartbeat_failed", jobId: this.jobId, err: error }, "the lease was not renewed");
  }

  async #renew(): Promise<void> {
    const waiting = this.#waiting;
    const state = waiting === null ? "running" : "waiting";
    const job = await this.#held.renew({ state, waiting, ...this.#report() });
    if (job.version !== this.#version) this.#settings.apply(job);
    this.#version = job.version;
    this.#applyState(job.state);
  }

  /** What the job as a whole waits for; null while anything proceeds. */
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
    const [{ ledger, clock }, { jobId }] = [this.#parts, this];
    const known = { cause: this.#cause, counted: this.#tally, recalls: this.#recalls, now: clock.now() };
    const settled = await settlementOf({ ledger, jobId, log: this.#log, ...known });
    if (settled === null) return this.#record.state;
    const { end, tally } = settled;
    if (tally !== null) this.#tally = tally;
    await ledger.release(this.#lease, { waiting: null, ...end, report: this.#report() }, clock.now());
    logLeft(this.#log, jobId, end, this.#deletionSize.gap.medianMs);
    return end.state;
  }
}
