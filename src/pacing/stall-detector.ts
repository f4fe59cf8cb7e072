/** Notices that a job stands still because what it asks its stores and databases is rejected, or not answered at all. */

import { type DomainError, hasCode } from "../domain/errors.ts";
import type { Waiting, WaitReason } from "../domain/job-state.ts";

/** So long everything may be rejected before that is called a wait. */
const REJECTED_MS = 2_000;
/** So long everything may fail (no connection, a reset, a 500) before that is called a wait. */
const FAILING_MS = 5_000;
/** So long nothing may be answered, while something is asked that does not take so long, before that is called a wait. */
const SILENT_MS = 10_000;
/** Looks that lie further apart have a jump of the clock between them, or a process that stood still. */
const JUMP_MS = 4_000;
/** A copy of so many bytes, at the 10 MB/s of the slowest store, has its answer well within {@link SILENT_MS}. */
const QUICK_BYTES = 64 * 2 ** 20;

/** Whether a request that copies `bytes` is answered soon where anything is. */
export function isQuick(bytes: number): boolean {
  return bytes <= QUICK_BYTES;
}

/** What one store or database answered last. Times are epoch ms. */
export class StallDetector {
  readonly #name: string;
  readonly #reason: WaitReason;
  /** Quick requests under way. */
  #asked = 0;
  /** Since when nothing was answered, where something is asked. */
  #quietSince = 0;
  #answeredAt = Number.NEGATIVE_INFINITY;
  #failingSince: number | null = null;
  #failure = "";
  #rejectedSince: number | null = null;
  #lookedAt: number | null = null;

  /** `name` as in "NAME has not answered"; `reason` of the wait. */
  constructor(name: string, reason: WaitReason) {
    this.#name = name;
    this.#reason = reason;
  }

  /** Something is asked that is answered soon; {@link StallDetector.ended} must follow, whatever comes of it. */
  asked(now: number): void {
    this.#lookedAt ??= now;
    if (this.#asked === 0) this.#quietSince = now;
    this.#asked += 1;
  }

  ended(): void {
    this.#asked -= 1;
  }

  /** An answer came, whatever it said. */
  answered(now: number): void {
    this.#quietSince = now;
    this.#answeredAt = now;
    this.#failingSince = null;
    this.#rejectedSince = null;
  }

  /** What was asked at `askedAt` has failed with `error`: only some errors are answers. */
  failed(error: unknown, now: number, askedAt = this.#quietSince): void {
    if (hasCode(error, "store_throttled")) this.#rejected(now);
    else if (hasCode(error, "store_unavailable", "database_unavailable")) this.#unanswered(error, askedAt);
    // Not sent at all, or an answer of somebody else's.
    else if (!hasCode(error, "stopped", "lease_lost", "ledger_unavailable")) this.answered(now);
  }

  /** Whether an answer came in the last `ms`. */
  answeredWithin(ms: number, now: number): boolean {
    return now - this.#answeredAt <= ms;
  }

  /** That nothing is answered, since when, and how that shows; else null. To be asked every second or so. */
  silence(now: number): Waiting | null {
    this.#lookedAt = this.#withoutJump(now);
    const failing = this.#failingSince;
    const isQuiet = this.#asked > 0 && now - this.#quietSince >= SILENT_MS;
    if (!isQuiet && (failing === null || now - failing < FAILING_MS)) return null;
    const since = failing ?? this.#quietSince;
    const how = failing === null ? "what it is asked stays without an answer" : this.#failure;
    const detail = `${this.#name} has not answered since ${new Date(since).toISOString()}: ${how}`;
    return { reason: this.#reason, since, until: null, detail };
  }

  /** {@link StallDetector.silence}, or that everything is rejected; else null. */
  waiting(now: number): Waiting | null {
    const since = this.#rejectedSince;
    if (since === null || now - since < REJECTED_MS) return this.silence(now);
    const detail = `${this.#name} rejects every request for being too many (503, 429)`;
    return { reason: this.#reason, since, until: null, detail };
  }

  /** While the process was stopped, the machine slept or the clock was set, nothing could be answered: that time does not count. */
  #withoutJump(now: number): number {
    const gapMs = now - (this.#lookedAt ?? now);
    if (gapMs >= 0 && gapMs <= JUMP_MS) return now;
    this.#quietSince += gapMs;
    if (this.#failingSince !== null) this.#failingSince += gapMs;
    return now;
  }

  #rejected(now: number): void {
    this.#quietSince = now;
    this.#failingSince = null;
    this.#rejectedSince ??= now;
  }

  #unanswered(error: DomainError, askedAt: number): void {
    this.#failingSince ??= Math.max(askedAt, this.#answeredAt);
    this.#failure = error.message;
  }
}

/** While the stores answer so recently, a database that does not keeps the job's other work going. */
const STORES_MOVE_MS = 2_000;

/** What the stores of one job, which share an endpoint, and each of its databases answer. */
export class JobStallDetectors {
  readonly stores = new StallDetector("the store", "throttled");
  readonly #databases = new Map<string, StallDetector>();

  database(name: string): StallDetector {
    const known = this.#databases.get(name);
    if (known !== undefined) return known;
    const stalls = new StallDetector(`database "${name}"`, "database");
    this.#databases.set(name, stalls);
    return stalls;
  }

  /** What keeps those waiting who are at work. */
  waiting(now: number): Waiting | null {
    const waiting = this.stores.waiting(now);
    if (waiting !== null || this.stores.answeredWithin(STORES_MOVE_MS, now)) return waiting;
    return this.#silentDatabases(now)[0] ?? null;
  }

  /** Every store or database that answers nothing. */
  silences(now: number): readonly Waiting[] {
    const store = this.stores.silence(now);
    return [...(store === null ? [] : [store]), ...this.#silentDatabases(now)];
  }

  #silentDatabases(now: number): readonly Waiting[] {
    return [...this.#databases.values()].flatMap((stalls) => stalls.silence(now) ?? []);
  }
}
