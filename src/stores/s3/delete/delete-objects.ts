/** `DeleteObjects`: deletes up to a thousand objects per request and reads the outcome of each. */

import { setTimeout as sleep } from "node:timers/promises";
import {
  DeleteObjectCommand,
  type DeleteObjectsCommandOutput,
  type _Error as KeyError,
} from "@aws-sdk/client-s3";
import type { DeleteResult, Deletion, WriteLimiter } from "../../../ports/object-store.ts";
import { interceptResponse } from "../client/response-interceptor.ts";
import { runParallel } from "../client/run-parallel.ts";
import type { S3Requests } from "../client/s3-requests.ts";
import { guardSend } from "../client/send-guard.ts";
import { quotedEtag } from "../read/etag.ts";
import { decodeEntities, readPlainXml } from "../read/plain-xml.ts";
import { badAnswer, hasKind, objectFailure, S3Fault } from "../s3-errors.ts";
import type { StoreCapabilities } from "../store-capabilities.ts";
import { bulkDeletion } from "./bulk-deletion.ts";
import { restoreNewerVersions } from "./hidden-versions.ts";

const MAX_KEYS = 1000;
/** Requests for keys that fail with a transient error, the first one included. */
const ROUNDS = 4;
const FIRST_PAUSE_MS = 100;
/** The caller has checked the objects right before: rounds end while that is recent. */
const ROUNDS_MS = 5_000;
const SINGLE_CONCURRENCY = 32;

/**
 * Keys that XML does not carry unchanged: control and other characters that it forbids or normalises (one of them makes
 * a request of a thousand keys invalid), and white space at the ends, which parsers trim.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters it is about.
const NOT_FOR_XML = /[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]|^\s|\s$|\p{Surrogate}/u;

/** What objects of one bucket are deleted with. */
export interface DeletionDependencies {
  readonly requests: S3Requests;
  readonly capabilities: StoreCapabilities;
  readonly bucket: string;
  readonly signal: AbortSignal | undefined;
  /** For repeated deletions; the caller has accounted for one of each key. */
  readonly limiter: WriteLimiter;
  /** Called right before a deletion is written; false: it is not sent. */
  readonly mayBegin: () => boolean;
}

interface Deleting extends DeletionDependencies {
  readonly doing: string;
  readonly outcomes: Map<string, Outcome>;
}

type Outcome = Omit<DeleteResult, "key">;
type BulkAnswer = Pick<DeleteObjectsCommandOutput, "Deleted" | "Errors">;

const DELETED: Outcome = { failure: null };
const NOT_TOLD: Outcome = {
  failure: { code: "delete_refused", message: "The store did not say what became of it." },
  isUnsettled: true,
};

/**
 * Deletes `objects`. Throws when the store is throttling or unavailable and the outcome of some is unknown; the call may
 * then be repeated, as an object that does not exist counts as deleted.
 */
export async function deleteEach(
  dependencies: DeletionDependencies,
  objects: readonly Deletion[],
): Promise<readonly DeleteResult[]> {
  const { bucket, capabilities } = dependencies;
  const outcomes = new Map<string, Outcome>();
  const deleting: Deleting = { ...dependencies, doing: `deleting from ${bucket}`, outcomes };
  const plain = objects.filter(({ key }) => !NOT_FOR_XML.test(key));
  const [first] = plain;
  if (first !== undefined && capabilities.deleteConditions === "unknown") await probe(deleting, first);
  const left = plain.filter(({ key }) => !outcomes.has(key));
  for (let at = 0; at < left.length; at += MAX_KEYS) {
    await deleteInBulk(deleting, left.slice(at, at + MAX_KEYS));
  }
  const single = objects.filter(({ key }) => NOT_FOR_XML.test(key));
  await runParallel(single, SINGLE_CONCURRENCY, (object) => deleteSingly(deleting, object));
  return objects.map(({ key }) => ({ key, ...(outcomes.get(key) ?? NOT_TOLD) }));
}

/** An ETag that no object has. */
const NO_ETAG = "0".repeat(32);

/**
 * Requests the deletion of `object`, which is to be deleted, under a condition that is false. A store that enforces
 * conditions says so and keeps it; any other has deleted it, as intended, or rejects the condition.
 */
async function probe(deleting: Deleting, object: Deletion): Promise<void> {
  const { capabilities, outcomes, limiter, signal, requests, doing } = deleting;
  const send = () => sendBulk(deleting, [{ ...object, etag: NO_ETAG }]);
  try {
    const answer = await limiter(1, send, signal);
    const { Deleted: deleted = [], Errors: [error] = [] } = answer;
    if (deleted.length > 0) {
      capabilities.deleteConditions = "ignored";
      outcomes.set(object.key, DELETED);
      await restoreHidden(deleting, answer, [object]);
      return;
    }
    if (error !== undefined) throw keyFault(error, doing);
  } catch (error) {
    if (!(error instanceof S3Fault)) throw error;
    if (error.kind === "precondition_failed") capabilities.deleteConditions = "enforced";
    else if (hasKind(error, "not_implemented", "refused")) capabilities.deleteConditions = "rejected";
    else if (error.kind === "throttled") requests.noteThrottled();
  }
}

/** Repeats single keys that fail with a transient error: under load a store has some in every large request. */
async function deleteInBulk(deleting: Deleting, objects: readonly Deletion[]): Promise<void> {
  let pending = objects;
  let faults: readonly S3Fault[] = [];
  // Where the store does not enforce the ETag, only the caller can check the objects again before another attempt.
  const rounds = isConditional(deleting) ? ROUNDS : 1;
  const until = performance.now() + ROUNDS_MS;
  for (let round = 0; round < rounds && pending.length > 0; round += 1) {
    if (performance.now() > until) break;
    if (round > 0) await sleep(FIRST_PAUSE_MS * 2 ** (round - 1));
    const asked = pending;
    const send = () => sendBulk(deleting, asked);
    const answer = await (round === 0 ? send() : deleting.limiter(asked.length, send, deleting.signal));
    const transient = noteOutcomes(deleting, answer, asked);
    await restoreHidden(deleting, answer, asked);
    pending = pending.filter(({ key }) => transient.has(key));
    faults = [...transient.values()];
  }
  const throttled = faults.find(({ kind }) => kind === "throttled");
  if (throttled !== undefined) throw throttled;
  const [first] = faults;
  // All keys: the store fails as a whole. Some that fail every time must not hold up the others.
  if (first !== undefined && pending.length === objects.length) throw first;
  const times = rounds === 1 ? "once" : `up to ${rounds} times`;
  for (const [at, { key }] of pending.entries()) {
    const message = `${faults[at]?.reason} (${times})`;
    deleting.outcomes.set(key, { failure: { code: "delete_refused", message }, isUnsettled: true });
  }
}

/** Where the ETag is not enforced: restores what was overwritten before its deletion, and notes that it has changed. */
async function restoreHidden(
  deleting: Deleting,
  { Deleted: deleted = [] }: BulkAnswer,
  asked: readonly Deletion[],
): Promise<void> {
  if (isConditional(deleting)) return;
  for (const [key, outcome] of await restoreNewerVersions(deleting, deleted, asked))
    deleting.outcomes.set(key, outcome);
}

function isConditional({ capabilities }: Deleting): boolean {
  return capabilities.deleteConditions === "enforced";
}

async function sendBulk(deleting: Deleting, objects: readonly Deletion[]): Promise<BulkAnswer> {
  const { requests, capabilities, bucket, signal, doing } = deleting;
  const isSent = capabilities.deleteConditions !== "rejected";
  const list = objects.map(({ key, etag }) => ({ key, etag: isSent ? quotedEtag(etag) : null }));
  const command = bulkDeletion(bucket, list);
  guardSend(command, deleting.mayBegin);
  // Delete markers are needed only where a newer version may lie under one.
  const parsed = isConditional(deleting)
    ? interceptResponse(command, readDeletedKeys, "<DeleteResult></DeleteResult>")
    : () => null;
  const output = await requests.send({ kind: "delete", doing }, signal, (client, options) =>
    client.send(command, options),
  );
  const keys = parsed();
  return keys === null ? output : { Deleted: keys.map((Key) => ({ Key })) };
}

const DELETED_ENTRY =
  /<Deleted><Key>([^<]+)<\/Key>(?:<(VersionId|DeleteMarker|DeleteMarkerVersionId)>[^<]*<\/\2>)*<\/Deleted>/y;

/** The keys in a plain answer of deleted ones without errors; null leaves it to the SDK's parser. */
export function readDeletedKeys(body: string): string[] | null {
  const answer = readPlainXml(body, "DeleteResult", DELETED_ENTRY);
  if (answer === null || answer.scalars.size > 0) return null;
  const keys = answer.entries.map(([, key = ""]) => decodeEntities(key));
  return keys.every((key) => key !== null) ? keys : null;
}

/** Notes the outcomes in the answer; gives the keys with transient errors in the order of `asked`. */
function noteOutcomes(
  { requests, outcomes, doing }: Deleting,
  answer: BulkAnswer,
  asked: readonly Deletion[],
): ReadonlyMap<string, S3Fault> {
  const deleted = new Set(answer.Deleted?.map(({ Key: key }) => key));
  const errors = new Map(answer.Errors?.map((error) => [error.Key, error]));
  // An empty or foreign answer; repeating the request does no harm.
  if (deleted.size + errors.size === 0) throw badAnswer(doing, "no key in the answer");
  const transient = new Map<string, S3Fault>();
  for (const { key } of asked) {
    const error = errors.get(key);
    if (error === undefined) {
      outcomes.set(key, deleted.has(key) ? DELETED : NOT_TOLD);
      continue;
    }
    const fault = keyFault(error, doing);
    if (hasKind(fault, "throttled", "unavailable")) transient.set(key, fault);
    else outcomes.set(key, outcomeOf(fault));
  }
  if ([...transient.values()].some(({ kind }) => kind === "throttled")) requests.noteThrottled();
  return transient;
}

function keyFault({ Code: code = "Unknown", Message: message = "" }: KeyError, doing: string): S3Fault {
  return new S3Fault({ code, status: null, message }, doing);
}

async function deleteSingly(deleting: Deleting, object: Deletion): Promise<void> {
  const { key, etag } = object;
  const { requests, capabilities, bucket, signal, doing, outcomes } = deleting;
  const condition = capabilities.deleteConditions === "rejected" ? {} : { IfMatch: quotedEtag(etag) };
  const command = new DeleteObjectCommand({ Bucket: bucket, Key: key, ...condition });
  guardSend(command, deleting.mayBegin);
  try {
    const output = await requests.send({ kind: "delete", doing }, signal, (client, options) =>
      client.send(command, options),
    );
    outcomes.set(key, DELETED);
    const { DeleteMarker, VersionId: DeleteMarkerVersionId } = output;
    await restoreHidden(deleting, { Deleted: [{ Key: key, DeleteMarker, DeleteMarkerVersionId }] }, [object]);
  } catch (error) {
    if (!(error instanceof S3Fault)) throw error;
    outcomes.set(key, outcomeOf(error));
  }
}

/** The outcome of one key. Throws faults that do not concern it alone. */
function outcomeOf(fault: S3Fault): Outcome {
  if (fault.kind === "gone") return DELETED;
  if (fault.kind === "precondition_failed") {
    return {
      failure: { code: "source_changed", message: "The object is no longer the version that was copied." },
    };
  }
  return { failure: objectFailure(fault, "delete_denied", "delete_refused") };
}
