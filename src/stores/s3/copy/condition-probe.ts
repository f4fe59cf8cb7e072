/** Probes whether a store enforces conditions on the target of a copy, with an object that the job has just created. */

import { setTimeout as sleep } from "node:timers/promises";
import { CopyObjectCommand } from "@aws-sdk/client-s3";
import type { CopyRequest } from "../../../ports/object-store.ts";
import { guardSend } from "../client/send-guard.ts";
import { S3Fault } from "../s3-errors.ts";
import type { ConditionSupport } from "../store-capabilities.ts";
import { copySource } from "./copy-source.ts";
import type { CopyAttempt } from "./target-conditions.ts";

/** A larger object takes the store a second and more to copy onto itself. */
const MAX_PROBE_BYTES = 64 * 1024 ** 2;

/**
 * How long other copies wait for the probe; then each sends a HEAD of its target. They have been let through the rate
 * limit already: the longer they wait, the more of them are sent at once.
 */
const PROBE_WAIT_MS = 250;

/** An object created longer ago may have been replaced by another writer. */
const MAX_OBJECT_AGE_MS = 1000;

/**
 * Runs `copy`. The first call then sends the probe: a copy of the new object onto itself, only if nothing stands there. A
 * store that enforces the condition answers 412; any other answer shows that it does not, and changes nothing but the
 * object just created. Concurrent calls wait a moment for its answer.
 */
export async function copyAndProbe(
  context: CopyAttempt,
  copy: (context: CopyAttempt) => Promise<string>,
): Promise<string> {
  const { capabilities } = context;
  const underWay = capabilities.copyProbe;
  if (underWay !== null) await Promise.race([underWay, sleep(PROBE_WAIT_MS, undefined, { ref: false })]);
  if (capabilities.copyProbe !== null || capabilities.copyConditions !== "unknown") return copy(context);
  const working = copyThenProbe(context, copy).finally(() => {
    capabilities.copyProbe = null;
  });
  capabilities.copyProbe = working.then(
    () => {},
    () => {},
  );
  return working;
}

async function copyThenProbe(
  context: CopyAttempt,
  copy: (context: CopyAttempt) => Promise<string>,
): Promise<string> {
  // Without `onAnswered`: the copy's slot is free for another one only after the probe.
  const { onAnswered: _, ...request } = context.request;
  const etag = await copy({ ...context, request });
  const support = await probe(context, performance.now());
  const { capabilities } = context;
  if (capabilities.copyConditions === "unknown") capabilities.copyConditions = support;
  return etag;
}

/** Small objects only, and STANDARD ones: the copy onto itself would otherwise change the storage class. */
export function canProbeWith({ onlyIfAbsent, storageClass, source }: CopyRequest): boolean {
  return onlyIfAbsent && storageClass === null && source.size < MAX_PROBE_BYTES;
}

/** `createdAt`, by `performance.now()`, of the object at the target. */
async function probe(
  { requests, request, signal, limiter }: CopyAttempt,
  createdAt: number,
): Promise<ConditionSupport> {
  const { bucket, key } = request.target;
  const command = new CopyObjectCommand({
    Bucket: bucket,
    Key: key,
    CopySource: copySource(bucket, key),
    // No condition on the source, whose 412 could not be told from the target's.
    IfNoneMatch: "*",
  });
  // The process may have been suspended since the copy.
  guardSend(command, () => requests.mayWrite() && performance.now() - createdAt <= MAX_OBJECT_AGE_MS);
  const doing = `finding out whether ${bucket} keeps to conditions`;
  const send = () =>
    requests.send({ kind: "other", doing }, signal, (client, options) => client.send(command, options));
  try {
    // Behind a low rate limit the object would be too old when its turn came.
    await limiter(1, send, signal, { isImmediate: true });
    return "ignored";
  } catch (error) {
    return error instanceof S3Fault ? supportShownBy(error) : "unknown";
  }
}

function supportShownBy({ kind }: S3Fault): ConditionSupport {
  if (kind === "precondition_failed") return "enforced";
  if (kind === "not_implemented") return "rejected";
  return kind === "refused" || kind === "denied" ? "ignored" : "unknown";
}
