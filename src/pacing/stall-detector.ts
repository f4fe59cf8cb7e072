/** Detects that a job is stalled because its stores and databases reject its requests, or do not answer them. */

import { type DomainError, hasCode } from "../domain/errors.ts";
import type { Waiting, WaitReason } from "../domain/job-state.ts";

/** All requests must have been rejected for this time before that is reported as a wait. */
const REJECTED_MS = 2_000;
/** All requests must have failed (no connection, a reset, a 500) for this time before that is reported as a wait. */
const FAILING_MS = 5_000;
/** No quick request must have been answered for this time, while one is in flight, before that is reported as a wait. */
const SILENT_MS = 10_000;
/** Two checks further apart than this mean that the clock was set or the process was stopped between them. */
const JUMP_MS = 4_000;
/** A copy of this size is answered well within {@link SILENT_MS} at 10 MB/s, the slowest store. */
const QUICK_BYTES = 64 * 2 ** 20;

/** Whether a request that copies `bytes` is answered within {@link SILENT_MS} by a store that answers at all. */
export function isQuick(bytes: number): boolean {
  return bytes <= QUICK_BYTES;
}

/** Observes the answers of one store, or of one database. Times are epoch ms. */
export class StallDetector {
  readonly #name: string;
  readonly #reason: WaitReason;
  #quickInFlight = 0;
  /** Since when nothing was answered while a quick request was in flight. */
  #quietSince = 0;
  #answeredAt = Number.NEGATIVE_INFINITY;
  #failingSince: number | null = null;
  #failure = "";
  #rejectedSince: number | null = null;
  #checkedAt: number | null = null;

  /**
   * @param name as in "NAME has not answered"
   * @param reason of the wait
   */
  constructor(name: string, reason: WaitReason) {
    this.#name = name;
    this.#reason = reason;
  }

  /** A quick request is sent; {@link StallDetector.ended} must follow, whatever its outcome. */
  sent(now: number): void {
    this.#checkedAt ??= now;
    if (this.#quickInFlight === 0) this.#quietSince = now;
    this.#quickInFlight += 1;
  }

  ended(): void {
    this.#quickInFlight -= 1;
  }

  /** An answer arrived, of any content. */
  answered(now: number): void {
    this.#quietSince = now;
    this.#answeredAt = now;
    this.#failingSince = null;
    this.#rejectedSince = null;
  }

  /** The request sent at `sentAt` failed with `error`: some errors are answers. */
  failed(error: unknown, now: number, sentAt = this.#quietSince): void {
    if (hasCode(error, "store_throttled")) this.#rejected(now);
    else if (hasCode(error, "store_unavailable", "database_unavailable")) this.#unanswered(error, sentAt);
    // The others mean that nothing was sent, or that the ledger failed.
    else if (!hasCode(error, "stopped", "lease_lost", "ledger_unavailable")) this.answered(now);
  }

  /** Whether an answer arrived in the last `ms`. */
  answeredWithin(ms: number, now: number): boolean {
    return now - this.#answeredAt <= ms;
  }

  /** That nothing is answered, since when, and the last error; else null. To be called about once a second. */
  silence(now: number): Waiting | null {
    this.#checkedAt = this.#withoutJump(now);
    const failing = this.#failingSince;
    const isQuiet = this.#quickInFlight > 0 && now - this.#quietSince >= SILENT_MS;
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

  /** Time in which the process was stopped or the machine slept, or by which the clock was set, does not count. */
  #withoutJump(now: number): number {
    const gapMs = now - (this.#checkedAt ?? now);
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

  #unanswered(error: DomainError, sentAt: number): void {
    this.#failingSince ??= Math.max(sentAt, this.#answeredAt);
    this.#failure = error.message;
  }
}

/** While the stores have answered within this time, a silent database does not stall the job: its copies go on. */
const STORES_ANSWER_MS = 2_000;

/** One detector for the stores of a job, which share an endpoint, and one for each of its databases. */
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

  /** What the job waits for though requests are in flight. */
  waiting(now: number): Waiting | null {
    const waiting = this.stores.waiting(now);
    if (waiting !== null || this.stores.answeredWithin(STORES_ANSWER_MS, now)) return waiting;
    return this.#silentDatabases(now)[0] ?? null;
  }

  /** Each store or database that answers nothing. */
  silences(now: number): readonly Waiting[] {
    const store = this.stores.silence(now);
    return [...(store === null ? [] : [store]), ...this.#silentDatabases(now)];
  }

  #silentDatabases(now: number): readonly Waiting[] {
    return [...this.#databases.values()].flatMap((stalls) => stalls.silence(now) ?? []);
  }
}
