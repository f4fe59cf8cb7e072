/** The canary: one tiny object written, copied, read and deleted, to learn about missing rights before the job does. */

import { hasCode, messageOf } from "../domain/errors.ts";
import type { JobSpec } from "../domain/job-spec.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { Problem } from "./preflight-report.ts";

const BODY = new TextEncoder().encode("tranship canary\n");

/** Sends it from source to target under names nobody else uses; gives the problem met, and leaves nothing behind. */
export async function sendCanary(stores: (name: string) => ObjectStore, spec: JobSpec): Promise<Problem[]> {
  const source = stores(spec.source.store);
  const target = stores(spec.target.store);
  const name = `.tranship-canary-${crypto.randomUUID()}`;
  const from = { bucket: spec.source.bucket, key: spec.source.prefix + name };
  const to = { bucket: spec.target.bucket, key: spec.target.prefix + name };
  const problems: Problem[] = [];
  const step = async (what: string, work: () => Promise<string | null>): Promise<boolean> => {
    const refusal = await work().catch((error: unknown) => {
      if (hasCode(error, "store_unavailable", "stopped")) throw error;
      return messageOf(error);
    });
    if (refusal !== null) problems.push(denied(what, refusal));
    return refusal === null;
  };
  const written = await step(`write to ${from.bucket}`, async () => {
    await source.write(from, BODY);
    return null;
  });
  if (!written) return problems;
  const copied = await step(`copy to ${to.bucket}`, () => copyCanary(source, from, to));
  if (copied) {
    await step(`read from ${to.bucket}`, async () =>
      (await target.head(to)) === null ? "the copy is not there" : null,
    );
    await step(`delete from ${to.bucket}`, () => deleteCanary(target, to));
  }
  await step(`delete from ${from.bucket}`, () => deleteCanary(source, from));
  return problems;
}

interface At {
  readonly bucket: string;
  readonly key: string;
}

async function copyCanary(store: ObjectStore, from: At, to: At): Promise<string | null> {
  const facts = await store.head(from);
  if (facts === null) return "the object that was just written is not there";
  const source = { ...from, etag: facts.etag, size: facts.size };
  const result = await store.copy({
    source,
    target: to,
    storageClass: facts.storageClass,
    onlyIfAbsent: true,
  });
  if (result.kind === "copied") return null;
  return result.kind === "failed" ? result.failure.message : `the store answered ${result.kind}`;
}

async function deleteCanary(store: ObjectStore, { bucket, key }: At): Promise<string | null> {
  const facts = await store.head({ bucket, key });
  if (facts === null) return null;
  const [result] = await store.deleteObjects(bucket, [facts]);
  return result?.failure?.message ?? null;
}

function denied(what: string, refusal: string): Problem {
  return { severity: "error", code: "canary_failed", message: `cannot ${what}: ${refusal}`, examples: [] };
}
