/** A client of the SDK's own for a sandbox store, and the keys that both go by. */

import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { type SandboxStore, startSandboxStore } from "../../src/sandbox-s3/sandbox-store.ts";

export const credentials = { accessKeyId: "sandbox-id", secretAccessKey: "sandbox-secret" };

/** A client that asks once and never again; `config` replaces settings of it. */
export function connectTo(store: SandboxStore, config: S3ClientConfig = {}): S3Client {
  return new S3Client({
    endpoint: store.url,
    region: "us-east-1",
    forcePathStyle: true,
    credentials,
    maxAttempts: 1,
    ...config,
  });
}

/** A store with the buckets `from`, which holds `k0` to `k19`, and `to`, which is empty. */
export async function startTwentyObjects(): Promise<SandboxStore> {
  const store = await startSandboxStore({ ...credentials, buckets: [{ name: "from" }, { name: "to" }] });
  for (let n = 0; n < 20; n++) store.putObject("from", `k${n}`, "x");
  return store;
}
