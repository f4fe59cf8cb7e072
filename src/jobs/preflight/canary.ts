/** The canary: one small object written, copied, read and deleted, to find missing rights before a job starts. */

import { hasCode, messageOf } from "../../domain/errors.ts";
import type { JobSpec } from "../../domain/job-spec.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import type { PreflightProblem } from "./preflight-report.ts";

const BODY = new TextEncoder().encode("tranship canary\n");
/** Delay between two attempts to remove it: a write without an answer may still take effect, and a short outage ends. */
const REMOVE_AGAIN_MS = 1_000;

/** An object that the canary may have written, and its store. */
interface CanaryObject {
  readonly store: ObjectStore;
  readonly bucket: string;
  readonly key: string;
  /** Whether the write was answered: after a lost answer the object may still appear. */
  isKnown: boolean;
}

/**
 * Copies a canary from source to target under unique names and gives the problems found. Whatever fails, what may have
 * been written is removed, with a second attempt; an object that cannot be removed is named by bucket and key in `examples`.
 */
export async function sendCanary(
  stores: (name: string) => ObjectStore,
  spec: JobSpec,
  clock: Pick<Clock, "sleep">,
): Promise<PreflightProblem[]> {
  const name = `.tranship-canary-${crypto.randomUUID()}`;
  const { source, target } = spec;
  const from = {
    store: stores(source.store),
    bucket: source.bucket,
    key: source.prefix + name,
    isKnown: true,
  };
  const to = { store: stores(target.store), bucket: target.bucket, key: target.prefix + name, isKnown: true };
  const written: CanaryObject[] = [];
  const problems = await copyAndRead(from, to, (object) => written.push(object));
  const left = await Promise.all(written.map((object) => removalProblems(object, clock)));
  return [...problems, ...left.flat()];
}

/** Writes, copies and reads; tells `begun` of each object before it may be there. */
async function copyAndRead(
  from: CanaryObject,
  to: CanaryObject,
  begun: (object: CanaryObject) => void,
): Promise<PreflightProblem[]> {
  begun(from);
  const unwritten = await refusal(from, async () => {
    await from.store.write(from, BODY);
    return null;
  });
  if (unwritten !== null) return [failed(`write to ${from.bucket}`, unwritten)];
  begun(to);
  const uncopied = await refusal(to, () => copyCanary(from, to));
  if (uncopied !== null) return [failed(`copy to ${to.bucket}`, uncopied)];
  const unread = await refusal(to, async () =>
    (await to.store.head(to)) === null ? "the copy is not there" : null,
  );
  return unread === null ? [] : [failed(`read from ${to.bucket}`, unread)];
}

/** The message that `work` returns or throws; null when it succeeded. */
async function refusal(object: CanaryObject, work: () => Promise<string | null>): Promise<string | null> {
  try {
    return await work();
  } catch (error) {
    object.isKnown = !hasCode(error, "store_unavailable");
    return messageOf(error);
  }
}

async function copyCanary(from: CanaryObject, to: CanaryObject): Promise<string | null> {
  const facts = await from.store.head(from);
  if (facts === null) return "the object that was just written is not there";
  const result = await from.store.copy({
    source: { bucket: from.bucket, key: from.key, etag: facts.etag, size: facts.size },
    target: { bucket: to.bucket, key: to.key },
    storageClass: facts.storageClass,
    onlyIfAbsent: true,
  });
  if (result.kind === "copied") return null;
  // The names are unique: an object there is the copy, whose answer was lost.
  if (result.kind === "precondition_failed" && (await to.store.head(to)) !== null) return null;
  return result.kind === "failed" ? result.failure.message : `the store answered ${result.kind}`;
}

/** Removes an object that may exist; gives the problem where it remains. */
async function removalProblems(
  object: CanaryObject,
  clock: Pick<Clock, "sleep">,
): Promise<PreflightProblem[]> {
  const { bucket, key, isKnown } = object;
  let unremoved = await refusal(object, () => removeCanary(object));
  if (unremoved !== null || !isKnown) {
    await clock.sleep(REMOVE_AGAIN_MS);
    unremoved = await refusal(object, () => removeCanary(object));
  }
  if (unremoved === null) return versionProblems(object);
  const what = `delete from ${bucket}`;
  return [
    failed(what, `${unremoved}; the canary may be left there, delete it: ${key}`, [`${bucket}/${key}`]),
  ];
}

async function removeCanary({ store, bucket, key }: CanaryObject): Promise<string | null> {
  const facts = await store.head({ bucket, key });
  if (facts === null) return null;
  const [result] = await store.deleteObjects(bucket, [facts]);
  return result?.failure?.message ?? null;
}

/** In a versioned bucket the deletion leaves a delete marker and the version. */
async function versionProblems({ store, bucket, key }: CanaryObject): Promise<PreflightProblem[]> {
  const versioning = await store.bucketFacts(bucket).then(
    (facts) => facts.versioning,
    () => "off" as const,
  );
  if (versioning === "off") return [];
  const message = `versioning of ${bucket} is ${versioning}: a delete marker of the canary, and where it is enabled its version, stay`;
  return [{ severity: "warning", code: "canary_version_kept", message, examples: [`${bucket}/${key}`] }];
}

function failed(what: string, reason: string, examples: readonly string[] = []): PreflightProblem {
  return { severity: "error", code: "canary_failed", message: `cannot ${what}: ${reason}`, examples };
}
