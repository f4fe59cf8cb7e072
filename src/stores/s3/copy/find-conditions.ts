/** Finds out whether a store keeps to conditions on what a copy writes, without putting anybody's object at risk. */

import { setTimeout as pause } from "node:timers/promises";
import { CopyObjectCommand } from "@aws-sdk/client-s3";
import type { CopyRequest } from "../../../ports/object-store.ts";
import { S3Fault } from "../s3-errors.ts";
import type { Conditions, StoreAbilities } from "../store-abilities.ts";
import { copySource } from "./copy-source.ts";
import { lookBeforeSending } from "./last-look.ts";
import type { Guarded } from "./target-guard.ts";

/** An object that a job has just made. */
interface Sample {
  readonly bucket: string;
  readonly key: string;
  /** By `performance.now()`. */
  readonly madeAt: number;
}

/** A larger object takes the store seconds to copy onto itself, while others wait. */
const MAX_PROBE_BYTES = 64 * 1024 ** 2;

/**
 * Other copies wait so long for the first one's finding, then each looks at its target by itself. They have been let go
 * already: the longer they wait, the more of them go in one moment.
 */
const PATIENCE_MS = 250;

/** A sample older than this may be another's object by now. */
const SAMPLE_MS = 1000;

/**
 * Runs `copy`. The first one then asks the store to copy its new object onto itself only if nothing stands there: a
 * store that keeps to the condition answers 412, all others show by any other answer that they do not, and nothing is
 * changed but what has just been made. Others wait a moment for the answer.
 */
export async function copyAndFindOut(
  guarded: Guarded,
  copy: (copying: Guarded) => Promise<string>,
): Promise<string> {
  const { abilities, request } = guarded;
  const underWay = abilities.finding;
  if (underWay !== null) await Promise.race([underWay, pause(PATIENCE_MS, undefined, { ref: false })]);
  if (abilities.finding !== null || abilities.copyConditions !== "unknown") return copy(guarded);
  return finding(abilities, async () => {
    // Its place is free for another copy only after the question.
    const { onAnswered: _, ...unannounced } = request;
    const etag = await copy({ ...guarded, request: unannounced });
    const found = await copyOntoItself(guarded, { ...request.target, madeAt: performance.now() });
    if (abilities.copyConditions === "unknown") abilities.copyConditions = found;
    return etag;
  });
}

async function finding<Result>(abilities: StoreAbilities, work: () => Promise<Result>): Promise<Result> {
  let end = () => {};
  abilities.finding = new Promise<void>((resolve) => {
    end = resolve;
  });
  try {
    return await work();
  } finally {
    abilities.finding = null;
    end();
  }
}

function isFresh({ madeAt }: Sample): boolean {
  return performance.now() - madeAt <= SAMPLE_MS;
}

/** Whether `request` may be the one: small, and of no storage class, which would make the copy onto itself a change. */
export function canFindOut({ onlyIfAbsent, storageClass, source }: CopyRequest): boolean {
  return onlyIfAbsent && storageClass === null && source.size < MAX_PROBE_BYTES;
}

async function copyOntoItself({ requests, signal, pass }: Guarded, sample: Sample): Promise<Conditions> {
  const { bucket, key } = sample;
  const command = new CopyObjectCommand({
    Bucket: bucket,
    Key: key,
    CopySource: copySource(bucket, key),
    // No condition on the source: its 412 could not be told from the one that is to be found out about.
    IfNoneMatch: "*",
  });
  // This process may have been stopped since the copy.
  lookBeforeSending(command, () => requests.mayWrite() && isFresh(sample));
  const doing = `finding out whether ${bucket} keeps to conditions`;
  const send = () =>
    requests.send({ kind: "other", doing }, signal, (client, options) => client.send(command, options));
  try {
    // Behind a low rate limit the sample would be too old when its turn came.
    await pass(1, send, signal, { isImmediate: true });
    return "ignored";
  } catch (error) {
    return error instanceof S3Fault ? conditionsBy(error) : "unknown";
  }
}

function conditionsBy({ kind }: S3Fault): Conditions {
  if (kind === "precondition_failed") return "kept";
  if (kind === "not_implemented") return "refused";
  return kind === "refused" || kind === "denied" ? "ignored" : "unknown";
}
