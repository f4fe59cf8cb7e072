/** The stores the object store suites run on, and adapters opened on them. */

import type { S3, StorageClass } from "@aws-sdk/client-s3";
import { afterAll, beforeAll } from "vitest";
import {
  type CopyRequest,
  type ListedObject,
  noRequests,
  type ObjectStore,
} from "../../../src/ports/object-store.ts";
import {
  type SandboxStore,
  type SandboxStoreOptions,
  startSandboxStore,
} from "../../../src/sandbox-s3/sandbox-store.ts";
import { openS3Client } from "../../../src/stores/s3/client/s3-client.ts";
import { endpointIdentity, type S3StoreConfig } from "../../../src/stores/s3/client/store-config.ts";
import { S3ObjectStore, type S3ObjectStoreOptions } from "../../../src/stores/s3/s3-object-store.ts";
import { createBuckets, s3ClientFor } from "../../support/buckets.ts";
import type { S3Facts } from "../../support/servers/ceph.ts";

/** Both ways single copies can go: whatever is asserted of one holds for the other. */
export const COPY_PATHS = ["pooled", "sdk"] as const;
export type CopyPath = (typeof COPY_PATHS)[number];

/** Where the store under test is, and what it is known to be unable to do. */
export interface StoreUnderTest {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** A storage class other than STANDARD; null where there is only that. */
  readonly otherStorageClass: StorageClass | null;
  /** Whether copies and completions honour `If-None-Match: *`. */
  readonly copiesOnlyIfAbsent: boolean;
  /** Whether deletions honour an ETag. */
  readonly deletesOnlyIfMatching: boolean;
  /** How the adapters opened on it send single copies; their default where absent. */
  readonly copyPath?: CopyPath;
  close(): Promise<void>;
}

/** An adapter with the counters it raises. */
export function openStore(
  under: StoreUnderTest,
  options: Partial<S3ObjectStoreOptions> = {},
  more: S3StoreConfig = {},
) {
  const { endpoint, accessKeyId, secretAccessKey } = under;
  const config = { endpoint, accessKeyId, secretAccessKey, forcePathStyle: true, ...more };
  const client = openS3Client(config);
  const counts = noRequests();
  const path = under.copyPath === undefined ? {} : { copyPath: under.copyPath };
  const store = new S3ObjectStore({
    client,
    endpoint: endpointIdentity(config),
    counts,
    ...path,
    ...options,
  });
  return { store, counts, client };
}

/** The whole bucket, page by page. */
export async function listAll(store: ObjectStore, bucket: string, prefix = "", limit = 1000) {
  const objects: ListedObject[] = [];
  for (;;) {
    const startAfter: string | null = objects.at(-1)?.key ?? null;
    const page = await store.list({ bucket, prefix, startAfter, limit });
    objects.push(...page.objects);
    if (!page.more) return objects;
  }
}

/** What the tests of one suite work with; complete once its `beforeAll` has run. */
export interface Bench {
  under: StoreUnderTest;
  /** The SDK alone, to make and look at objects independently of the adapter. */
  raw: S3;
  store: S3ObjectStore;
  /** Bucket to move from. */
  a: string;
  /** Bucket to move to. */
  b: string;
}

/** Starts a store with two buckets before the suite's tests, and ends it after them. */
export function setUpBench(start: () => Promise<StoreUnderTest>): Bench {
  const bench = {} as Bench;
  beforeAll(async () => {
    const under = await start();
    const raw = s3ClientFor({ ...under, region: "us-east-1" });
    Object.assign(bench, { under, raw, store: openStore(under).store }, await createBuckets(raw, "a", "b"));
  });
  afterAll(async () => {
    bench.raw?.destroy();
    await bench.under?.close();
  });
  return bench;
}

/** Writes an object and gives its bare ETag. */
export async function put({ raw }: Bench, bucket: string, key: string, body: string): Promise<string> {
  const { ETag = "" } = await raw.putObject({ Bucket: bucket, Key: key, Body: body });
  return ETag.replaceAll('"', "");
}

/** A copy from the first bucket to the second. */
export function copyOf(
  { a, b }: Bench,
  key: string,
  etag: string,
  size: number,
  target: string,
): CopyRequest {
  return {
    source: { bucket: a, key, etag, size },
    target: { bucket: b, key: target },
    storageClass: null,
    onlyIfAbsent: true,
  };
}

const KEYS = { accessKeyId: "sandbox", secretAccessKey: "sandbox-secret" };

/** A sandbox store with the buckets `src` and `dst`. */
export async function startSandbox({
  keepsConditions = true,
}: Pick<SandboxStoreOptions, "keepsConditions"> = {}): Promise<
  StoreUnderTest & { readonly sandbox: SandboxStore }
> {
  const buckets = [{ name: "src" }, { name: "dst" }];
  const sandbox = await startSandboxStore({ ...KEYS, keepsConditions, buckets });
  return {
    ...KEYS,
    sandbox,
    endpoint: sandbox.url,
    otherStorageClass: "STANDARD_IA",
    copiesOnlyIfAbsent: keepsConditions,
    deletesOnlyIfMatching: keepsConditions,
    close: () => sandbox.close(),
  };
}

/** Ceph, of which the versions differ in the conditions they keep to: 16.2 keeps to none of these, 20.2 to some. */
export async function onCeph(facts: S3Facts): Promise<StoreUnderTest> {
  const client = s3ClientFor(facts);
  try {
    const kept = await keptConditions(client);
    return { ...facts, ...kept, otherStorageClass: null, close: async () => {} };
  } finally {
    client.destroy();
  }
}

/** Asks the store by the SDK alone, in a bucket for that. */
async function keptConditions(
  client: S3,
): Promise<Pick<StoreUnderTest, "copiesOnlyIfAbsent" | "deletesOnlyIfMatching">> {
  const { asked: Bucket } = await createBuckets(client, "asked");
  const at = { Bucket, Key: "there" };
  await client.putObject({ ...at, Body: "x" });
  await client.putObject({ Bucket, Key: "other", Body: "y" });
  const isRefused = (request: Promise<unknown>) =>
    request.then(
      () => false,
      (error) => error.$metadata?.httpStatusCode === 412,
    );
  return {
    copiesOnlyIfAbsent: await isRefused(
      client.copyObject({ ...at, CopySource: `${Bucket}/other`, IfNoneMatch: "*" }),
    ),
    deletesOnlyIfMatching: await isRefused(client.deleteObject({ ...at, IfMatch: `"${"0".repeat(32)}"` })),
  };
}
