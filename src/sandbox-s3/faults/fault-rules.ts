/** This file says what faults can be put into a sandbox store, and decides which requests they meet. */

import { parseCopySource } from "../objects/copy-source.ts";
import { header, type S3Operation, type S3Request } from "../protocol/s3-request.ts";

/** A fixed delay, or one drawn evenly from a range. */
export type Delay = number | { readonly minMs: number; readonly maxMs: number };

/** What a fault does; `applied: true` performs the operation first and then lies about it. */
export type FaultEffect =
  | { readonly type: "slow-down"; readonly applied?: boolean }
  | { readonly type: "internal-error"; readonly applied?: boolean }
  | { readonly type: "access-denied" }
  /** Any S3 error. */
  | {
      readonly type: "error";
      readonly status: number;
      readonly code: string;
      readonly message?: string;
      readonly applied?: boolean;
    }
  /** 200 with an `<Error>` document, as CopyObject and CompleteMultipartUpload may answer. */
  | {
      readonly type: "error-in-200";
      readonly code?: string;
      readonly message?: string;
      readonly applied?: boolean;
    }
  /** 200 with no body at all. */
  | { readonly type: "empty-200"; readonly applied?: boolean }
  /** The connection breaks and nothing was done. */
  | { readonly type: "reset-before" }
  /** The connection breaks after everything was done: the answer is lost. */
  | { readonly type: "reset-after" }
  /** No answer, ever; nothing is done unless `applied`. */
  | { readonly type: "hang"; readonly applied?: boolean }
  | { readonly type: "latency"; readonly delay: Delay }
  /** DeleteObjects: an error for each matching key in place of its deletion. */
  | { readonly type: "key-error"; readonly code: string; readonly message?: string }
  /** DeleteObjects: no word of each matching key in the answer; it is deleted with `applied` only. */
  | { readonly type: "key-unsaid"; readonly applied?: boolean };

/** Which requests; every condition given must hold. */
export interface RequestMatch {
  readonly operation?: S3Operation | readonly S3Operation[];
  readonly bucket?: string;
  /** The key written, read or deleted; for DeleteObjects, any of its keys. */
  readonly key?: string | ((key: string) => boolean);
  /** The key a copy reads. */
  readonly sourceKey?: string | ((key: string) => boolean);
  readonly when?: (request: S3Request) => boolean;
}

/** A fault: which requests, which of them, and what happens. */
export interface FaultRule extends RequestMatch {
  /** Only the nth matching request (or key, for `key-error`), counted from 1. */
  readonly nth?: number;
  /** Every so many: 3 means the third, the sixth, … */
  readonly every?: number;
  /** The share of matching requests, 0 to 1, drawn from a generator with `seed`. */
  readonly probability?: number;
  readonly seed?: number;
  /** Strike at most so often. */
  readonly times?: number;
  readonly effect: FaultEffect;
}

/** A rule in force. */
export interface ActiveFault {
  readonly rule: FaultRule;
  /** Requests (or keys) that matched. */
  readonly matched: number;
  /** Times it struck. */
  readonly struck: number;
  remove(): void;
}

/** Whether a request meets all conditions of `match`. */
export function matchesRequest(match: RequestMatch, request: S3Request): boolean {
  const { target } = request;
  if (match.bucket !== undefined && match.bucket !== target.bucket) return false;
  if (!matchesOperation(match.operation, target.operation)) return false;
  if (match.key !== undefined && !requestKeys(request).some((key) => matchesKey(match.key, key)))
    return false;
  if (match.sourceKey !== undefined && !matchesSource(match.sourceKey, request)) return false;
  return match.when?.(request) ?? true;
}

/** Whether a key is the one wanted. */
export function matchesKey(wanted: RequestMatch["key"], key: string): boolean {
  if (wanted === undefined) return true;
  return typeof wanted === "string" ? wanted === key : wanted(key);
}

/** Counts one rule's matches and decides which of them it strikes. */
export class FaultTrigger {
  readonly rule: FaultRule;
  matched = 0;
  struck = 0;
  readonly #random: () => number;

  constructor(rule: FaultRule) {
    this.rule = rule;
    this.#random = seededRandom(rule.seed ?? 1);
  }

  /** Counts a match; whether this one is struck. */
  strikes(): boolean {
    const { nth, every, probability, times } = this.rule;
    this.matched++;
    if (times !== undefined && this.struck >= times) return false;
    if (nth !== undefined && this.matched !== nth) return false;
    if (every !== undefined && this.matched % every !== 0) return false;
    if (probability !== undefined && this.#random() >= probability) return false;
    this.struck++;
    return true;
  }
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

function matchesOperation(wanted: RequestMatch["operation"], operation: S3Operation): boolean {
  if (wanted === undefined) return true;
  return typeof wanted === "string" ? wanted === operation : wanted.includes(operation);
}

function requestKeys(request: S3Request): readonly string[] {
  return request.deletion?.entries.map((entry) => entry.key) ?? [request.target.key];
}

function matchesSource(wanted: RequestMatch["sourceKey"], request: S3Request): boolean {
  const text = header(request, "x-amz-copy-source");
  if (text === undefined) return false;
  try {
    return matchesKey(wanted, parseCopySource(text).key);
  } catch {
    // The operation itself will tell the client that its header is malformed.
    return false;
  }
}
