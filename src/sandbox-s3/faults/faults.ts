/** The faults of a sandbox store: rules, write budgets, latency, holds. */

import type { KeyError, S3Operation, S3Request } from "../protocol/s3-request.ts";
import {
  type ActiveFault,
  type Delay,
  type FaultEffect,
  type FaultRule,
  FaultTrigger,
  matchesKey,
  matchesRequest,
  type RequestMatch,
} from "./fault-rules.ts";
import { type HoldPoint, type RequestHold, RequestHolds } from "./request-holds.ts";
import { WriteBudget } from "./write-budget.ts";

/** The effects that end a request; delays and key errors are told apart. */
export type FinalEffect = Exclude<
  FaultEffect,
  { type: "latency" } | { type: "key-error" } | { type: "key-omitted" }
>;

/** What is to happen to one request. */
export interface FaultDecision {
  readonly delayMs: number;
  readonly effect: FinalEffect | undefined;
  readonly keyErrors: ReadonlyMap<string, KeyError> | undefined;
}

const WRITES: ReadonlySet<S3Operation> = new Set<S3Operation>([
  "AbortMultipartUpload",
  "CompleteMultipartUpload",
  "CopyObject",
  "CreateMultipartUpload",
  "DeleteObject",
  "DeleteObjects",
  "PutObject",
  "PutObjectTagging",
  "UploadPart",
  "UploadPartCopy",
]);

/** Faults that can be changed while the store runs; they take effect with the next request. */
export class Faults {
  /** Added to every request. */
  latencyMs: Delay = 0;
  /** How fast one CopyObject or UploadPartCopy works; several at once do not slow each other, as on AWS. */
  copyBytesPerSecond = Number.POSITIVE_INFINITY;
  readonly #triggers = new Set<FaultTrigger>();
  readonly #budgets = new Map<string, WriteBudget>();
  readonly #holds = new RequestHolds();
  readonly #nowMs: () => number;
  readonly #random = seededRandom(7);

  /** `nowMs` is a monotonic clock for the write budgets. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Puts a rule in force; among several that fire at one request, the oldest decides, and delays add up. */
  add(rule: FaultRule): ActiveFault {
    const trigger = new FaultTrigger(rule);
    this.#triggers.add(trigger);
    const remove = () => {
      this.#triggers.delete(trigger);
    };
    return {
      get matched() {
        return trigger.matched;
      },
      get fired() {
        return trigger.fired;
      },
      remove,
    };
  }

  /** Removes all rules, budgets, holds, latency and the speed limit of copies. */
  clear(): void {
    this.#triggers.clear();
    this.#budgets.clear();
    this.#holds.release();
    this.latencyMs = 0;
    this.copyBytesPerSecond = Number.POSITIVE_INFINITY;
  }

  /** Limits the writes a second of a bucket; `undefined` lifts the limit. A bulk delete costs one for each key. */
  writeBudget(bucket: string, writesPerSecond: number | undefined): void {
    if (writesPerSecond === undefined) this.#budgets.delete(bucket);
    else this.#budgets.set(bucket, new WriteBudget(writesPerSecond, this.#nowMs));
  }

  /** Writes that a bucket's budget has admitted since it was set. */
  writesGranted(bucket: string): number {
    return this.#budgets.get(bucket)?.granted ?? 0;
  }

  /** Freezes matching requests until the hold is released. */
  hold(match: RequestMatch = {}, at: HoldPoint = "before"): RequestHold {
    return this.#holds.add(match, at, true);
  }

  /** Resolves when the nth matching request (or nth request of a hold) has arrived; freezes nothing itself. */
  async arrival(of: RequestHold | RequestMatch = {}, nth = 1): Promise<S3Request> {
    if (isHold(of)) return of.arrival(nth);
    const watch = this.#holds.add(of, "before", false);
    const request = await watch.arrival(nth);
    watch.release();
    return request;
  }

  /** Releases all holds. */
  release(): void {
    this.#holds.release();
  }

  /** The server's side: whether requests can be served without asking further. */
  get areNone(): boolean {
    const hasRules = this.#triggers.size > 0 || this.#budgets.size > 0 || !this.#holds.isEmpty;
    return !hasRules && this.latencyMs === 0 && this.copyBytesPerSecond === Number.POSITIVE_INFINITY;
  }

  /** The server's side: takes a write from the bucket's budget; `false` means 503 SlowDown. */
  admitWrite(request: S3Request): boolean {
    const budget = this.#budgets.get(request.target.bucket);
    if (budget === undefined || !WRITES.has(request.target.operation)) return true;
    return budget.take(Math.max(1, request.deletion.entries.length));
  }

  /** The server's side: returns when no hold keeps the request. */
  waitForHolds(request: S3Request, at: HoldPoint): Promise<void> | undefined {
    return this.#holds.isEmpty ? undefined : this.#holds.wait(request, at);
  }

  /** The server's side: the general latency of one request. */
  drawLatencyMs(): number {
    return this.#draw(this.latencyMs);
  }

  /** The server's side: how long copying `bytes` takes beside everything else. */
  copyMs(bytes: number): number {
    return (bytes / this.copyBytesPerSecond) * 1000;
  }

  /** The server's side: what the rules do to a request. */
  decide(request: S3Request): FaultDecision {
    let delayMs = 0;
    let effect: FinalEffect | undefined;
    const keyErrors = new Map<string, KeyError>();
    for (const trigger of this.#triggers) {
      if (!matchesRequest(trigger.rule, request)) continue;
      const injected = trigger.rule.effect;
      if (injected.type === "key-error" || injected.type === "key-omitted")
        injectKeyErrors(trigger, injected, request, keyErrors);
      else if (!trigger.fires()) continue;
      else if (injected.type === "latency") delayMs += this.#draw(injected.delay);
      else effect ??= injected;
    }
    return { delayMs, effect, keyErrors: keyErrors.size === 0 ? undefined : keyErrors };
  }

  #draw(delay: Delay): number {
    if (typeof delay === "number") return delay;
    return Math.round(delay.minMs + this.#random() * (delay.maxMs - delay.minMs));
  }
}

function injectKeyErrors(
  trigger: FaultTrigger,
  effect: Extract<FaultEffect, { type: "key-error" | "key-omitted" }>,
  request: S3Request,
  keyErrors: Map<string, KeyError>,
): void {
  const error = keyErrorOf(effect);
  for (const { key } of request.deletion.entries) {
    if (!matchesKey(trigger.rule.key, key) || !trigger.fires()) continue;
    if (!keyErrors.has(key)) keyErrors.set(key, error);
  }
}

function keyErrorOf(effect: Extract<FaultEffect, { type: "key-error" | "key-omitted" }>): KeyError {
  const message = "We encountered an internal error. Please try again.";
  if (effect.type === "key-error") return { code: effect.code, message: effect.message ?? message };
  return { code: "InternalError", message, omitted: effect.applied ? "deleted" : "kept" };
}

function isHold(of: RequestHold | RequestMatch): of is RequestHold {
  return "arrival" in of;
}

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
