/** The object store contract on the sandbox store and on Ceph, with single copies sent either way. */

import { inject } from "vitest";
import { objectStoreContract } from "./object-store-contract.ts";
import { COPY_PATHS, onCeph, startSandbox } from "./object-store-under-test.ts";

for (const copyPath of COPY_PATHS) {
  objectStoreContract(`the sandbox store, copies ${copyPath}`, async () => ({
    ...(await startSandbox()),
    copyPath,
  }));

  objectStoreContract(`Ceph, copies ${copyPath}`, async () => ({
    ...(await onCeph(inject("s3"))),
    copyPath,
  }));
}
