/** The object store contract on the sandbox store and on Ceph. */

import { inject } from "vitest";
import { objectStoreContract } from "./object-store-contract.ts";
import { startSandbox } from "./object-store-under-test.ts";

objectStoreContract("the sandbox store", startSandbox);

// Ceph 16.2 ignores If-None-Match on copies and completions, and ETags on deletions; storage classes need set-up.
objectStoreContract("Ceph", async () => ({
  ...inject("s3"),
  otherStorageClass: null,
  copiesOnlyIfAbsent: false,
  deletesOnlyIfMatching: false,
  close: async () => {},
}));
