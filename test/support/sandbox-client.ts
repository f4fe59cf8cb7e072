/** A client of the SDK's own for a sandbox store, and the keys that both go by. */

import { S3, type S3ClientConfig } from "@aws-sdk/client-s3";
import { afterAll, beforeAll } from "vitest";
import {
  type SandboxStore,
  type SandboxStoreOptions,
  startSandboxStore,
} from "../../src/sandbox-s3/sandbox-store.ts";

export const credentials = { accessKeyId: "sandbox-id", secretAccessKey: "sandbox-secret" };

/** A client that asks once and never again; `config` replaces settings of it. */
export function connectTo(store: SandboxStore, config: S3ClientConfig = {}): S3 {
  return new S3({
    endpoint: store.url,
    region: "us-east-1",
    forcePathStyle: true,
    credentials,
    maxAttempts: 1,
    ...config,
  });
}

/** The store of the file whose tests run. */
export let store: SandboxStore;
/** A client of it, see {@link connectTo}. */
export let client: S3;

/** Starts `store` before the tests of a file and closes it after them; buckets `from` and `to` unless told otherwise. */
export function sandboxForAll(options: Partial<SandboxStoreOptions> = {}, config: S3ClientConfig = {}): void {
  beforeAll(async () => {
    const buckets = [{ name: "from" }, { name: "to" }];
    store = await startSandboxStore({ ...credentials, buckets, ...options });
    client = connectTo(store, config);
  });
  afterAll(async () => {
    client.destroy();
    await store.close();
  });
}
