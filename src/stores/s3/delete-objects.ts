/** Deletes up to a thousand objects a request and reads what became of each. */

import { setTimeout as pause } from "node:timers/promises";
import { DeleteObjectCommand, type DeleteObjectsCommandOutput } from "@aws-sdk/client-s3";
import type { DeleteResult, ObjectFailure, WritePass } from "../../ports/object-store.ts";
import { bulkDeletion } from "./deletion-list.ts";
import { quotedEtag } from "./etag.ts";
import { lookBeforeSending } from "./last-look.ts";
import { decodeEntities, readPlainXml } from "./plain-xml.ts";
import { readFirst } from "./read-first.ts";
import { runParallel } from "./run-parallel.ts";
import { badAnswer, objectFailure, S3Fault } from "./s3-errors.ts";
import type { S3Requests } from "./s3-requests.ts";

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

/** An object to delete. */
export interface Doomed {
  readonly key: string;
  readonly etag: string;
}

interface Deleting {
  readonly requests: S3Requests;
  readonly bucket: string;
  /** Whether to make the store check the ETags. */
  readonly conditional: boolean;
  readonly signal: AbortSignal | undefined;
  readonly doing: string;
  /** For what is sent more than once; the caller has paid for each key once. */
  readonly pass: WritePass;
  /** Null: deleted, or not there. */
  readonly fates: Map<string, ObjectFailure | null>;
}

/**
 * Deletes `objects`. Throws when the store is too busy or unwell to say what became of some; the whole call may then
 * be repeated, as an object that is gone counts as deleted.
 */
export async function deleteEach(
  requests: S3Requests,
  bucket: string,
  objects: readonly Doomed[],
  conditional: boolean,
  signal: AbortSignal | undefined,
  pass: WritePass,
): Promise<readonly DeleteResult[]> {
  const doing = `deleting from ${bucket}`;
  const deleting: Deleting = { requests, bucket, conditional, signal, doing, pass, fates: new Map() };
  const plain = objects.filter(({ key }) => !NOT_FOR_XML.test(key));
  for (let at = 0; at < plain.length; at += MAX_KEYS) {
    await deleteInBulk(deleting, plain.slice(at, at + MAX_KEYS));
  }
  const awkward = objects.filter(({ key }) => NOT_FOR_XML.test(key));
  await runParallel(awkward, SINGLE_CONCURRENCY, (object) => deleteSingly(deleting, object));
  return objects.map(({ key }) => {
    const fate = deleting.fates.get(key);
    return { key, failure: fate === undefined ? UNSAID : fate };
  });
}

const UNSAID: ObjectFailure = { code: "delete_refused", message: "The store did not say what became of it." };

/** Errors of single keys are never retried by the SDK, yet a busy store gives some in every large request. */
async function deleteInBulk(deleting: Deleting, objects: readonly Doomed[]): Promise<void> {
  let pending = objects;
  let faults: readonly S3Fault[] = [];
  const until = performance.now() + ROUNDS_MS;
  for (let round = 0; round < ROUNDS && pending.length > 0; round += 1) {
    if (performance.now() > until) break;
    if (round > 0) await pause(FIRST_PAUSE_MS * 2 ** round);
    const asked = pending;
    const send = () => sendBulk(deleting, asked);
    const answer = await (round === 0 ? send() : deleting.pass(asked.length, send, deleting.signal));
    const transient = noteFates(deleting, answer, asked);
    pending = pending.filter(({ key }) => transient.has(key));
    faults = [...transient.values()];
  }
  const busy = faults.find(({ kind }) => kind === "throttled");
  if (busy !== undefined) throw busy;
  const [first] = faults;
  // The store fails as a whole; if only some keys fail time and again, they must not hold up the others.
  if (first !== undefined && pending.length === objects.length) throw first;
  for (const [at, { key }] of pending.entries()) {
    const reason = faults[at]?.reason ?? "";
    deleting.fates.set(key, { code: "delete_refused", message: `${reason} (up to ${ROUNDS} times)` });
  }
}

async function sendBulk(
  deleting: Deleting,
  objects: readonly Doomed[],
): Promise<Pick<DeleteObjectsCommandOutput, "Deleted" | "Errors">> {
  const { requests, bucket, conditional, signal, doing } = deleting;
  const list = objects.map(({ key, etag }) => ({ key, etag: conditional ? quotedEtag(etag) : null }));
  const command = bulkDeletion(bucket, list);
  lookBeforeSending(command, requests.mayWrite);
  const plain = readFirst(command, readDeletedKeys, "<DeleteResult></DeleteResult>");
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

/** Notes the fates the answer tells and gives the keys worth asking for again, in the order of `asked`. */
function noteFates(
  { requests, fates, doing }: Deleting,
  answer: Pick<DeleteObjectsCommandOutput, "Deleted" | "Errors">,
  asked: readonly Doomed[],
): ReadonlyMap<string, S3Fault> {
  const deleted = new Set(answer.Deleted?.map(({ Key: key }) => key));
  const errors = new Map(answer.Errors?.map((error) => [error.Key, error]));
  // An empty or foreign answer says nothing about anything; asking again is harmless.
  if (deleted.size + errors.size === 0) throw badAnswer(doing, "no key in the answer");
  const transient = new Map<string, S3Fault>();
  for (const { key } of asked) {
    const error = errors.get(key);
    if (error === undefined) {
      fates.set(key, deleted.has(key) ? null : UNSAID);
      continue;
    }
    const fault = new S3Fault(
      { code: error.Code ?? "Unknown", status: null, message: error.Message ?? "" },
      doing,
    );
    if (fault.kind === "throttled" || fault.kind === "unavailable") transient.set(key, fault);
    else fates.set(key, fateOf(fault));
  }
  if ([...transient.values()].some(({ kind }) => kind === "throttled")) requests.noteThrottled();
  return transient;
}

async function deleteSingly(deleting: Deleting, { key, etag }: Doomed): Promise<void> {
  const { requests, bucket, conditional, signal, doing, fates } = deleting;
  const condition = conditional ? { IfMatch: quotedEtag(etag) } : {};
  const command = new DeleteObjectCommand({ Bucket: bucket, Key: key, ...condition });
  lookBeforeSending(command, requests.mayWrite);
  try {
    await requests.send({ kind: "delete", doing }, signal, (client, options) =>
      client.send(command, options),
    );
    fates.set(key, null);
  } catch (error) {
    if (!(error instanceof S3Fault)) throw error;
    fates.set(key, fateOf(error));
  }
}

/** Throws what is not about one object. */
function fateOf(fault: S3Fault): ObjectFailure | null {
  if (fault.kind === "gone") return null;
  if (fault.kind === "precondition_failed") {
    return { code: "source_changed", message: "The object is no longer the version that was copied." };
  }
  return objectFailure(fault, "delete_denied", "delete_refused");
}
