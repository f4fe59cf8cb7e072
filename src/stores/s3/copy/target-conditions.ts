/**
 * Keeps a copy from replacing an object that is not expected at its target: by a condition where the store enforces it,
 * elsewhere by a HEAD of the target right before the request.
 */

import type { CopyRequest, WriteLimiter } from "../../../ports/object-store.ts";
import type { S3Requests } from "../client/s3-requests.ts";
import { bareEtag, quotedEtag } from "../read/etag.ts";
import { headIfPresent } from "../read/object-facts.ts";
import { hasKind, S3Fault } from "../s3-errors.ts";
import type { StoreCapabilities } from "../store-capabilities.ts";

/** The longest time between the answer to a HEAD of the target and the request that relies on it. */
const MAX_HEAD_AGE_MS = 1000;

/** Conditions on the key that is written, as the SDK names them. */
export interface TargetConditions {
  readonly IfNoneMatch?: "*" | undefined;
  readonly IfMatch?: string | undefined;
}

const NONE: TargetConditions = {};
const IF_ABSENT: TargetConditions = { IfNoneMatch: "*" };

/** Sends the request under `conditions`; it calls `mayBegin` right before it is written. */
export type ConditionalSend<Result> = (
  conditions: TargetConditions,
  mayBegin: () => boolean,
) => Promise<Result>;

/** What one copy is made with. */
export interface CopyAttempt {
  readonly requests: S3Requests;
  readonly capabilities: StoreCapabilities;
  readonly request: CopyRequest;
  readonly signal: AbortSignal | undefined;
  /** For requests beside the copy. */
  readonly limiter: WriteLimiter;
}

/**
 * Runs `send`, a second time only where the store rejects the header of the condition. Throws the fault
 * `precondition_failed` when the target is not as `request` expects it, and what `send` throws.
 */
export function sendIfTargetFits<Result>(
  context: CopyAttempt,
  send: ConditionalSend<Result>,
): Promise<Result> {
  const { request, capabilities, requests } = context;
  const conditions = conditionsOf(request);
  if (conditions === NONE) return send(NONE, requests.mayWrite);
  if (capabilities.copyConditions !== "enforced") return headAndSend(context, conditions, send);
  return send(conditions, requests.mayWrite).catch((error: unknown) => {
    if (!hasKind(error, "not_implemented")) throw error;
    return sendWithoutConditions(context, send);
  });
}

function conditionsOf({ onlyIfAbsent, replacing }: CopyRequest): TargetConditions {
  if (onlyIfAbsent) return IF_ABSENT;
  return replacing === undefined ? NONE : { IfMatch: quotedEtag(replacing) };
}

async function headAndSend<Result>(
  context: CopyAttempt,
  conditions: TargetConditions,
  send: ConditionalSend<Result>,
): Promise<Result> {
  const { requests, capabilities, signal, limiter } = context;
  let sentAt = 0;
  let answeredAt = 0;
  const head = async () => {
    sentAt = performance.now();
    await checkTarget(context);
    answeredAt = performance.now();
  };
  await limiter(0, head, signal, { isImmediate: true });
  // The process may be suspended between the HEAD and the request.
  const mayBegin = () => requests.mayWrite() && performance.now() - answeredAt <= MAX_HEAD_AGE_MS;
  const sendable = capabilities.copyConditions === "rejected" ? NONE : conditions;
  try {
    const result = await send(sendable, mayBegin);
    capabilities.copyGap.note(performance.now() - sentAt);
    return result;
  } catch (error) {
    if (!hasKind(error, "not_implemented") || sendable === NONE) throw error;
    return sendWithoutConditions(context, send);
  }
}

/** That the store rejects the header is noted only once the same request has succeeded without it. */
async function sendWithoutConditions<Result>(
  context: CopyAttempt,
  send: ConditionalSend<Result>,
): Promise<Result> {
  const result = await headAndSend(context, NONE, send);
  context.capabilities.copyConditions = "rejected";
  return result;
}

/** Throws `precondition_failed` unless the target is as the request expects it. */
async function checkTarget({ requests, request, signal }: CopyAttempt): Promise<void> {
  const { target, onlyIfAbsent, replacing } = request;
  const head = await headIfPresent(requests, { Bucket: target.bucket, Key: target.key }, signal);
  if (onlyIfAbsent ? head === null : head !== null && bareEtag(head.ETag) === replacing) return;
  const message = head === null ? "nothing stands there any more" : "another object stands there";
  throw new S3Fault(
    { code: "PreconditionFailed", status: 412, message },
    `looking at ${target.bucket}/${target.key} before copying there`,
  );
}
