/** The faults that can be injected into a sandbox store, and which requests they match. */

import type { S3Operation, S3Request } from "../protocol/s3-request.ts";

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
  /** DeleteObjects: the answer leaves out each matching key, which is deleted with `applied` only. */
  | { readonly type: "key-omitted"; readonly applied?: boolean };

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
  /** At most so often. */
  readonly times?: number;
  readonly effect: FaultEffect;
}

/** A rule in force. */
export interface ActiveFault {
  /** Requests (or keys) that matched. */
  readonly matched: number;
  /** Requests (or keys) into which the fault was injected. */
  readonly fired: number;
  remove(): void;
}

/** Whether a request meets all conditions of `match`. */
export function matchesRequest(match: RequestMatch, request: S3Request): boolean {
  const { target } = request;
  if (match.bucket !== undefined && match.bucket !== target.bucket) return false;
  if (!matchesOperation(match.operation, target.operation)) return false;
  if (match.key !== undefined && !requestKeys(request).some((key) => matchesKey(match.key, key)))
    return false;
  const { copySource } = request;
  if (match.sourceKey !== undefined && !(copySource && matchesKey(match.sourceKey, copySource.key)))
    return false;
  return match.when?.(request) ?? true;
}

/** Whether a key is the one wanted. */
export function matchesKey(wanted: RequestMatch["key"], key: string): boolean {
  if (wanted === undefined) return true;
  return typeof wanted === "string" ? wanted === key : wanted(key);
}

/** Counts the matches of one rule and decides at which of them it fires. */
export class FaultTrigger {
  readonly rule: FaultRule;
  matched = 0;
  fired = 0;

  constructor(rule: FaultRule) {
    this.rule = rule;
  }

  /** Counts a match; whether the fault is injected here. */
  fires(): boolean {
    const { nth, every, times } = this.rule;
    this.matched++;
    if (times !== undefined && this.fired >= times) return false;
    if (nth !== undefined && this.matched !== nth) return false;
    if (every !== undefined && this.matched % every !== 0) return false;
    this.fired++;
    return true;
  }
}

function matchesOperation(wanted: RequestMatch["operation"], operation: S3Operation): boolean {
  if (wanted === undefined) return true;
  return typeof wanted === "string" ? wanted === operation : wanted.includes(operation);
}

function requestKeys(request: S3Request): readonly string[] {
  const { entries } = request.deletion;
  return entries.length > 0 ? entries.map((entry) => entry.key) : [request.target.key];
}
