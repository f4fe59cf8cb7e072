/** The object store contract on the sandbox store and on Ceph, with single copies sent either way. */

import { inject } from "vitest";
import { objectStoreContract } from "./object-store-contract.ts";
import { COPY_PATHS, startSandbox } from "./object-store-under-test.ts";

for (const copyPath of COPY_PATHS) {
  objectStoreContract(`the sandbox store, copies ${copyPath}`, async () => ({
    ...(await startSandbox()),
    copyPath,
  }));

  // Ceph 16.2 ignores If-None-Match on copies and completions, and ETags on deletions; storage classes need set-up.
  objectStoreContract(`Ceph, copies ${copyPath}`, async () => ({
    ...inject("s3"),
    otherStorageClass: null,
    copiesOnlyIfAbsent: false,
    deletesOnlyIfMatching: false,
    copyPath,
    close: async () => {},
  }));
}
