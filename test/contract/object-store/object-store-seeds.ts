/** What the suites on a faulty sandbox share: an emptied store, objects put past the adapter, and the codes of failures. */

import type { CopyRequest } from "../../../src/ports/object-store.ts";
import type { SandboxStore } from "../../../src/sandbox-s3/sandbox-store.ts";

/** Takes all faults and all objects out of the buckets `src` and `dst`. */
export function emptySandbox(sandbox: SandboxStore): void {
  sandbox.faults.clear();
  for (const bucket of ["src", "dst"]) {
    for (const key of sandbox.listKeys(bucket)) sandbox.deleteObject(bucket, key);
  }
}

/** An object to put: its key and, where it matters, its attributes and body. */
export type Seed = [key: string, options?: object, body?: Parameters<SandboxStore["putObject"]>[2]];

/** Puts an object into `src` and gives its copy to the same key in `dst`. */
export function seedIn(sandbox: SandboxStore, ...[key, options = {}, body = "body"]: Seed): CopyRequest {
  const { etag } = sandbox.putObject("src", key, body, options);
  const size = sandbox.getObject("src", key)?.size ?? 0;
  return {
    source: { bucket: "src", key, etag, size },
    target: { bucket: "dst", key },
    storageClass: null,
    onlyIfAbsent: true,
  };
}

/** The code that `call` fails with; `none` when it does not. */
export const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => "none",
    (error) => error.code ?? String(error),
  );
