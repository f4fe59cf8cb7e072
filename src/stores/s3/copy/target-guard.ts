/**
 * Keeps a copy from replacing an object that is not expected at its new key: by a condition where the store keeps to
 * it, and by a look immediately before the request where it does not.
 */

import type { CopyRequest, WritePass } from "../../../ports/object-store.ts";
import type { S3Requests } from "../client/s3-requests.ts";
import { bareEtag, quotedEtag } from "../read/etag.ts";
import { headObject } from "../read/object-facts.ts";
import { S3Fault } from "../s3-errors.ts";
import type { StoreAbilities } from "../store-abilities.ts";

/** A look at a target is acted on within this time, or taken again. */
const LOOK_MS = 1000;
const IMMEDIATE = { isImmediate: true } as const;

/** Conditions on the key that is written, as the SDK names them. */
export interface TargetConditions {
  readonly IfNoneMatch?: "*" | undefined;
  readonly IfMatch?: string | undefined;
}

const NONE: TargetConditions = {};
const IF_ABSENT: TargetConditions = { IfNoneMatch: "*" };

/** Sends the request under `conditions`; `mayBegin` is asked at the moment it is written. */
export type GuardedAttempt<Result> = (
  conditions: TargetConditions,
  mayBegin: () => boolean,
) => Promise<Result>;

export interface Guarded {
  readonly requests: S3Requests;
  readonly abilities: StoreAbilities;
  readonly request: CopyRequest;
  readonly signal: AbortSignal | undefined;
  /** What goes beside the copy is counted by it. */
  readonly pass: WritePass;
}

/**
 * Runs `attempt`, once at most but where the store refuses the condition itself. Throws the fault
 * `precondition_failed` when another object stands at the target than the request expects, and what `attempt` throws.
 */
export function guardTarget<Result>(guarded: Guarded, attempt: GuardedAttempt<Result>): Promise<Result> {
  const { request, abilities, requests } = guarded;
  const conditions = conditionsOf(request);
  if (conditions === NONE) return attempt(NONE, requests.mayWrite);
  if (abilities.copyConditions !== "kept") return lookAndWrite(guarded, conditions, attempt);
  return attempt(conditions, requests.mayWrite).catch((error: unknown) => {
    if (!isUnknownHeader(error)) throw error;
    return withoutConditions(guarded, attempt);
  });
}

function conditionsOf({ onlyIfAbsent, replacing }: CopyRequest): TargetConditions {
  if (onlyIfAbsent) return IF_ABSENT;
  return replacing === undefined ? NONE : { IfMatch: quotedEtag(replacing) };
}

function isUnknownHeader(error: unknown): boolean {
  return error instanceof S3Fault && error.kind === "not_implemented";
}

async function lookAndWrite<Result>(
  guarded: Guarded,
  conditions: TargetConditions,
  attempt: GuardedAttempt<Result>,
): Promise<Result> {
  const { requests, abilities, signal, pass } = guarded;
  let sentAt = 0;
  let seenAt = 0;
  const look = async () => {
    sentAt = performance.now();
    await expectTarget(guarded);
    seenAt = performance.now();
  };
  await pass(0, look, signal, IMMEDIATE);
  // A process may be stopped between the look and the request.
  const mayBegin = () => requests.mayWrite() && performance.now() - seenAt <= LOOK_MS;
  const sendable = abilities.copyConditions === "refused" ? NONE : conditions;
  try {
    const result = await attempt(sendable, mayBegin);
    abilities.copyGap.note(performance.now() - sentAt);
    return result;
  } catch (error) {
    if (!isUnknownHeader(error) || sendable === NONE) throw error;
    return withoutConditions(guarded, attempt);
  }
}

/** The store does not know the condition, if the same request is taken without it. */
async function withoutConditions<Result>(guarded: Guarded, attempt: GuardedAttempt<Result>): Promise<Result> {
  const result = await lookAndWrite(guarded, NONE, attempt);
  guarded.abilities.copyConditions = "refused";
  return result;
}

/** Throws `precondition_failed` unless what stands at the target is what the request expects. */
async function expectTarget({ requests, request, signal }: Guarded): Promise<void> {
  const { target, onlyIfAbsent, replacing } = request;
  const standing = await standingEtag(requests, target, signal);
  if (onlyIfAbsent ? standing === null : standing === replacing) return;
  const message = standing === null ? "nothing stands there any more" : "another object stands there";
  throw new S3Fault(
    { code: "PreconditionFailed", status: 412, message },
    `looking at ${target.bucket}/${target.key} before copying there`,
  );
}

async function standingEtag(
  requests: S3Requests,
  { bucket, key }: CopyRequest["target"],
  signal: AbortSignal | undefined,
): Promise<string | null> {
  try {
    return bareEtag((await headObject(requests, { Bucket: bucket, Key: key }, signal)).ETag);
  } catch (error) {
    if (error instanceof S3Fault && error.kind === "gone") return null;
    throw error;
  }
}
