/** The canary: one tiny object written, copied, read and deleted, to learn about missing rights before the job does. */

import { hasCode, messageOf } from "../../domain/errors.ts";
import type { JobSpec } from "../../domain/job-spec.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import type { Problem } from "./preflight-report.ts";

const BODY = new TextEncoder().encode("tranship canary\n");
/** Between two attempts to remove it: what was cut off may still be carried out, and a hiccup is over by then. */
const REMOVE_AGAIN_MS = 1_000;

/** An object of the canary's, and the store it is in. */
interface Trace {
  readonly store: ObjectStore;
  readonly bucket: string;
  readonly key: string;
  /** Whether an answer said what became of it: one that was lost leaves open whether it will still appear. */
  isKnown: boolean;
}

/**
 * Sends it from source to target under names that are unique; gives the problems met. Whatever fails half-way, what may
 * have been written is removed, with a second attempt; what cannot be is named by bucket and key in the examples.
 */
export async function sendCanary(
  stores: (name: string) => ObjectStore,
  spec: JobSpec,
  clock: Pick<Clock, "sleep">,
): Promise<Problem[]> {
  const name = `.tranship-canary-${crypto.randomUUID()}`;
  const { source, target } = spec;
  const from = {
    store: stores(source.store),
    bucket: source.bucket,
    key: source.prefix + name,
    isKnown: true,
  };
  const to = { store: stores(target.store), bucket: target.bucket, key: target.prefix + name, isKnown: true };
  const traces: Trace[] = [];
  const problems = await flight(from, to, (trace) => traces.push(trace));
  const left = await Promise.all(traces.map((trace) => removalProblems(trace, clock)));
  return [...problems, ...left.flat()];
}

/** Writes, copies and reads; tells `begun` of each object before it may be there. */
async function flight(from: Trace, to: Trace, begun: (trace: Trace) => void): Promise<Problem[]> {
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

/** What `work` says or throws; null when it went well. */
async function refusal(trace: Trace, work: () => Promise<string | null>): Promise<string | null> {
  try {
    return await work();
  } catch (error) {
    trace.isKnown = !hasCode(error, "store_unavailable");
    return messageOf(error);
  }
}

async function copyCanary(from: Trace, to: Trace): Promise<string | null> {
  const facts = await from.store.head(from);
  if (facts === null) return "the object that was just written is not there";
  const result = await from.store.copy({
    source: { bucket: from.bucket, key: from.key, etag: facts.etag, size: facts.size },
    target: { bucket: to.bucket, key: to.key },
    storageClass: facts.storageClass,
    onlyIfAbsent: true,
  });
  if (result.kind === "copied") return null;
  // The names are unique: what stands there is a copy whose answer was lost.
  if (result.kind === "precondition_failed" && (await to.store.head(to)) !== null) return null;
  return result.kind === "failed" ? result.failure.message : `the store answered ${result.kind}`;
}

/** Removes what may be there; gives the problem of what is left all the same. */
async function removalProblems(trace: Trace, clock: Pick<Clock, "sleep">): Promise<Problem[]> {
  const { bucket, key, isKnown } = trace;
  let unremoved = await refusal(trace, () => removeCanary(trace));
  if (unremoved !== null || !isKnown) {
    await clock.sleep(REMOVE_AGAIN_MS);
    unremoved = await refusal(trace, () => removeCanary(trace));
  }
  if (unremoved === null) return versionProblems(trace);
  const what = `delete from ${bucket}`;
  return [
    failed(what, `${unremoved}; the canary may be left there, delete it: ${key}`, [`${bucket}/${key}`]),
  ];
}

async function removeCanary({ store, bucket, key }: Trace): Promise<string | null> {
  const facts = await store.head({ bucket, key });
  if (facts === null) return null;
  const [result] = await store.deleteObjects(bucket, [facts]);
  return result?.failure?.message ?? null;
}

/** Where versions are kept, deleting keeps one too. */
async function versionProblems({ store, bucket, key }: Trace): Promise<Problem[]> {
  const versioning = await store.bucketFacts(bucket).then(
    (facts) => facts.versioning,
    () => "off" as const,
  );
  if (versioning === "off") return [];
  const message = `versioning of ${bucket} is ${versioning}: a delete marker of the canary, and where it is enabled its version, stay`;
  return [{ severity: "warning", code: "canary_version_kept", message, examples: [`${bucket}/${key}`] }];
}

function failed(what: string, reason: string, examples: readonly string[] = []): Problem {
  return { severity: "error", code: "canary_failed", message: `cannot ${what}: ${reason}`, examples };
}
