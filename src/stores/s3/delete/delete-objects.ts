/** Deletes up to a thousand objects a request and reads what became of each. */

import { setTimeout as pause } from "node:timers/promises";
import {
  DeleteObjectCommand,
  type DeleteObjectsCommandOutput,
  type _Error as KeyError,
} from "@aws-sdk/client-s3";
import type { DeleteResult, Deletion, WritePass } from "../../../ports/object-store.ts";
import { readFirst } from "../client/read-first.ts";
import { runParallel } from "../client/run-parallel.ts";
import type { S3Requests } from "../client/s3-requests.ts";
import { lookBeforeSending } from "../copy/last-look.ts";
import { quotedEtag } from "../read/etag.ts";
import { decodeEntities, readPlainXml } from "../read/plain-xml.ts";
import { badAnswer, objectFailure, S3Fault } from "../s3-errors.ts";
import type { StoreAbilities } from "../store-abilities.ts";
import { bulkDeletion } from "./deletion-list.ts";
import { restoreNewerVersions } from "./hidden-versions.ts";

const MAX_KEYS = 1000;
const ROUNDS = 4;
const FIRST_PAUSE_MS = 50;
/** Those who delete have looked around just before: rounds go on only while that is fresh. */
const ROUNDS_MS = 5_000;
const SINGLE_CONCURRENCY = 32;

/**
 * Keys that XML cannot carry there and back: control and other characters it forbids or normalises (one of them makes
 * a request of a thousand keys illegal), and white space at the ends, which parsers trim.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters it is about.
const NOT_FOR_XML = /[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]|^\s|\s$|\p{Surrogate}/u;

/** How objects of one bucket are deleted. */
export interface DeletionDependencies {
  readonly requests: S3Requests;
  readonly abilities: StoreAbilities;
  readonly bucket: string;
  readonly signal: AbortSignal | undefined;
  /** For what is sent more than once; the caller has paid for each key once. */
  readonly pass: WritePass;
  /** Asked when a deletion is written. */
  readonly mayBegin: () => boolean;
}

interface Deleting extends DeletionDependencies {
  readonly doing: string;
  readonly outcomes: Map<string, Outcome>;
}

/** Null: deleted, or not there. */
type Outcome = Omit<DeleteResult, "key"> | null;

/**
 * Deletes `objects`. Throws when the store is too busy or unwell to say what became of some; the whole call may then
 * be repeated, as an object that is gone counts as deleted.
 */
export async function deleteEach(
  means: DeletionDependencies,
  objects: readonly Deletion[],
): Promise<readonly DeleteResult[]> {
  const deleting: Deleting = { ...means, doing: `deleting from ${means.bucket}`, outcomes: new Map() };
  const plain = objects.filter(({ key }) => !NOT_FOR_XML.test(key));
  const [first] = plain;
  if (first !== undefined && means.abilities.deleteConditions === "unknown") {
    await findOutByDeleting(deleting, first);
  }
  const left = plain.filter(({ key }) => !deleting.outcomes.has(key));
  for (let at = 0; at < left.length; at += MAX_KEYS) {
    await deleteInBulk(deleting, left.slice(at, at + MAX_KEYS));
  }
  const awkward = objects.filter(({ key }) => NOT_FOR_XML.test(key));
  await runParallel(awkward, SINGLE_CONCURRENCY, (object) => deleteSingly(deleting, object));
  return objects.map(({ key }) => {
    const outcome = deleting.outcomes.get(key);
    return { key, ...(outcome === undefined ? UNSAID : (outcome ?? DELETED_FATE)) };
  });
}

const DELETED_FATE = { failure: null } as const;
const UNSAID = {
  failure: { code: "delete_refused", message: "The store did not say what became of it." },
  isUnsettled: true,
} as const;

/** An ETag that no object has. */
const NO_ETAG = "0".repeat(32);

/**
 * Asks for the deletion of an object, which is to be deleted, under a condition that does not hold. A store that keeps to
 * conditions says so and leaves it; any other has deleted it, as was wanted, or does not know the condition.
 */
async function findOutByDeleting(deleting: Deleting, object: Deletion): Promise<void> {
  const { abilities, outcomes, pass, signal, requests, doing } = deleting;
  const send = () => sendBulk(deleting, [{ ...object, etag: NO_ETAG }]);
  try {
    const { Deleted: deleted = [], Errors: [error] = [] } = await pass(1, send, signal);
    if (deleted.length > 0) {
      abilities.deleteConditions = "ignored";
      outcomes.set(object.key, null);
      await noteUncovered(deleting, { Deleted: deleted }, [object]);
      return;
    }
    if (error !== undefined) throw keyFault(error, doing);
  } catch (error) {
    if (!(error instanceof S3Fault)) throw error;
    if (error.kind === "precondition_failed") abilities.deleteConditions = "kept";
    else if (error.kind === "not_implemented" || error.kind === "refused")
      abilities.deleteConditions = "refused";
    else if (error.kind === "throttled") requests.noteThrottled();
  }
}

/** Errors of single keys are never retried by the SDK, yet a busy store gives some in every large request. */
async function deleteInBulk(deleting: Deleting, objects: readonly Deletion[]): Promise<void> {
  let pending = objects;
  let faults: readonly S3Fault[] = [];
  // Where the store does not compare, only the caller can look again before the next attempt.
  const rounds = isConditional(deleting) ? ROUNDS : 1;
  const until = performance.now() + ROUNDS_MS;
  for (let round = 0; round < rounds && pending.length > 0; round += 1) {
    if (performance.now() > until) break;
    if (round > 0) await pause(FIRST_PAUSE_MS * 2 ** round);
    const asked = pending;
    const send = () => sendBulk(deleting, asked);
    const answer = await (round === 0 ? send() : deleting.pass(asked.length, send, deleting.signal));
    const transient = noteFates(deleting, answer, asked);
    await noteUncovered(deleting, answer, asked);
    pending = pending.filter(({ key }) => transient.has(key));
    faults = [...transient.values()];
  }
  const busy = faults.find(({ kind }) => kind === "throttled");
  if (busy !== undefined) throw busy;
  const [first] = faults;
  // The store fails as a whole; if only some keys fail time and again, they must not hold up the others.
  if (first !== undefined && pending.length === objects.length) throw first;
  const times = rounds === 1 ? "once" : `up to ${rounds} times`;
  for (const [at, { key }] of pending.entries()) {
    const message = `${faults[at]?.reason} (${times})`;
    deleting.outcomes.set(key, { failure: { code: "delete_refused", message }, isUnsettled: true });
  }
}

/** Of a store that compares nothing: what was overwritten meanwhile, and was brought back, has not been deleted. */
async function noteUncovered(
  deleting: Deleting,
  { Deleted: deleted = [] }: Pick<DeleteObjectsCommandOutput, "Deleted">,
  asked: readonly Deletion[],
): Promise<void> {
  if (isConditional(deleting)) return;
  for (const [key, outcome] of await restoreNewerVersions(deleting, deleted, asked))
    deleting.outcomes.set(key, outcome);
}

/** Whether the store is relied on to compare. */
function isConditional({ abilities }: Deleting): boolean {
  return abilities.deleteConditions === "kept";
}

async function sendBulk(
  deleting: Deleting,
  objects: readonly Deletion[],
): Promise<Pick<DeleteObjectsCommandOutput, "Deleted" | "Errors">> {
  const { requests, abilities, bucket, signal, doing } = deleting;
  const isSent = abilities.deleteConditions !== "refused";
  const list = objects.map(({ key, etag }) => ({ key, etag: isSent ? quotedEtag(etag) : null }));
  const command = bulkDeletion(bucket, list);
  lookBeforeSending(command, deleting.mayBegin);
  // Whether markers were set matters only where a newer version may lie under one.
  const plain = isConditional(deleting)
    ? readFirst(command, readDeletedKeys, "<DeleteResult></DeleteResult>")
    : () => null;
  const output = await requests.send({ kind: "delete", doing }, signal, (client, options) =>
    client.send(command, options),
  );
  const keys = plain();
  return keys === null ? output : { Deleted: keys.map((Key) => ({ Key })) };
}

const DELETED =
  /<Deleted><Key>([^<]+)<\/Key>(?:<(VersionId|DeleteMarker|DeleteMarkerVersionId)>[^<]*<\/\2>)*<\/Deleted>/y;

/** The keys in an answer that plainly names deleted ones and no error; null leaves it to the SDK's parser. */
export function readDeletedKeys(body: string): string[] | null {
  const answer = readPlainXml(body, "DeleteResult", DELETED);
  if (answer === null || answer.scalars.size > 0) return null;
  const keys = answer.entries.map(([, key = ""]) => decodeEntities(key));
  return keys.every((key) => key !== null) ? keys : null;
}

/** Notes the outcomes the answer tells and gives the keys worth asking for again, in the order of `asked`. */
function noteFates(
  { requests, outcomes, doing }: Deleting,
  answer: Pick<DeleteObjectsCommandOutput, "Deleted" | "Errors">,
  asked: readonly Deletion[],
): ReadonlyMap<string, S3Fault> {
  const deleted = new Set(answer.Deleted?.map(({ Key: key }) => key));
  const errors = new Map(answer.Errors?.map((error) => [error.Key, error]));
  // An empty or foreign answer says nothing about anything; asking again is harmless.
  if (deleted.size + errors.size === 0) throw badAnswer(doing, "no key in the answer");
  const transient = new Map<string, S3Fault>();
  for (const { key } of asked) {
    const error = errors.get(key);
    if (error === undefined) {
      outcomes.set(key, deleted.has(key) ? null : UNSAID);
      continue;
    }
    const fault = keyFault(error, doing);
    if (fault.kind === "throttled" || fault.kind === "unavailable") transient.set(key, fault);
    else outcomes.set(key, fateOf(fault));
  }
  if ([...transient.values()].some(({ kind }) => kind === "throttled")) requests.noteThrottled();
  return transient;
}

function keyFault({ Code: code = "Unknown", Message: message = "" }: KeyError, doing: string): S3Fault {
  return new S3Fault({ code, status: null, message }, doing);
}

async function deleteSingly(deleting: Deleting, object: Deletion): Promise<void> {
  const { key, etag } = object;
  const { requests, abilities, bucket, signal, doing, outcomes } = deleting;
  const condition = abilities.deleteConditions === "refused" ? {} : { IfMatch: quotedEtag(etag) };
  const command = new DeleteObjectCommand({ Bucket: bucket, Key: key, ...condition });
  lookBeforeSending(command, deleting.mayBegin);
  try {
    const output = await requests.send({ kind: "delete", doing }, signal, (client, options) =>
      client.send(command, options),
    );
    outcomes.set(key, null);
    const { DeleteMarker, VersionId: DeleteMarkerVersionId } = output;
    await noteUncovered(deleting, { Deleted: [{ Key: key, DeleteMarker, DeleteMarkerVersionId }] }, [object]);
  } catch (error) {
    if (!(error instanceof S3Fault)) throw error;
    outcomes.set(key, fateOf(error));
  }
}

/** Throws what is not about one object. */
function fateOf(fault: S3Fault): Outcome {
  if (fault.kind === "gone") return null;
  if (fault.kind === "precondition_failed") {
    return {
      failure: { code: "source_changed", message: "The object is no longer the version that was copied." },
    };
  }
  return { failure: objectFailure(fault, "delete_denied", "delete_refused") };
}
