/** Whether it may write is asked when a request leaves, after all that a process may be stopped in the middle of. */

import { setTimeout as sleep } from "node:timers/promises";
import { S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noRequests, type ObjectStore, type WriteLimiter } from "../../../src/ports/object-store.ts";
import { type SandboxStore, startSandboxStore } from "../../../src/sandbox-s3/sandbox-store.ts";
import { openS3Client } from "../../../src/stores/s3/client/s3-client.ts";
import { S3ObjectStore } from "../../../src/stores/s3/s3-object-store.ts";
import { unknownCapabilities } from "../../../src/stores/s3/store-capabilities.ts";

const KEYS = { accessKeyId: "test-access", secretAccessKey: "test-secret-key" };
const NOT_FOR_XML = "odd \u0001";

let sandbox: SandboxStore;
let etag: string;
beforeAll(async () => {
  sandbox = await startSandboxStore({ ...KEYS, buckets: [{ name: "a" }] });
});
afterAll(() => sandbox.close());

/** A store that may write until its request is signed, and from then on only if `afterwards`. */
function open(copyPath: "pool" | "sdk" | "parts", afterwards: boolean): ObjectStore {
  let may = true;
  const client = new S3Client({
    endpoint: sandbox.url,
    region: "us-east-1",
    forcePathStyle: true,
    maxAttempts: 1,
    requestChecksumCalculation: "WHEN_REQUIRED",
    credentials: async () => {
      may = afterwards;
      return KEYS;
    },
  });
  const counts = noRequests();
  return new S3ObjectStore({
    ...{ client, endpoint: sandbox.url, counts, mayWrite: () => may },
    ...(copyPath === "sdk" ? { copyPath } : {}),
    ...(copyPath === "parts" ? { multipartCopyBytes: 2 } : {}),
  });
}

const request = () => ({
  source: { bucket: "a", key: "plain", etag, size: 4 },
  target: { bucket: "a", key: "copy" },
  storageClass: null,
  onlyIfAbsent: false,
});

const copy = (store: ObjectStore) => store.copy(request());

const REQUESTS = [
  { title: "a copy over the pool", operation: "CopyObject", path: "pool", act: copy },
  { title: "a copy by the SDK", operation: "CopyObject", path: "sdk", act: copy },
  {
    title: "the completion of a copy in parts",
    operation: "CompleteMultipartUpload",
    path: "parts",
    act: copy,
  },
  {
    title: "the tags of a copy that was cut off",
    operation: "PutObjectTagging",
    path: "parts",
    act: (store: ObjectStore) => store.finishCopy(request(), sandbox.putObject("a", "copy", "body").etag),
  },
  {
    title: "a bulk deletion",
    operation: "DeleteObjects",
    path: "pool",
    act: (store: ObjectStore) => store.deleteObjects("a", [{ key: "plain", etag }]),
  },
  {
    title: "a deletion by itself",
    operation: "DeleteObject",
    path: "pool",
    act: (store: ObjectStore) => store.deleteObjects("a", [{ key: NOT_FOR_XML, etag }]),
  },
] as const;

describe("a request that writes", () => {
  for (const { title, operation, path, act } of REQUESTS) {
    it(`is not sent when it may no longer be, and is when it may: ${title}`, async () => {
      for (const key of ["plain", NOT_FOR_XML]) {
        etag = sandbox.putObject("a", key, "body", { tags: { kind: "film" } }).etag;
      }
      const before = sandbox.requests.count(operation);
      await expect(act(open(path, false))).rejects.toMatchObject({ code: "store_unavailable" });
      expect(sandbox.requests.count(operation)).toBe(before);
      await act(open(path, true));
      expect(sandbox.requests.count(operation)).toBe(before + 1);
    });
  }
});

describe("a copy whose process is suspended for more than a second while it is prepared", () => {
  /** A store of which nothing is known, whose `nth` copy takes so long from its preparation to its sending. */
  function openSuspended(nth: number) {
    const client = openS3Client({ endpoint: sandbox.url, forcePathStyle: true, ...KEYS });
    let copies = 0;
    client.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          if (commandName === "CopyObjectCommand") copies += 1;
          if (commandName === "CopyObjectCommand" && copies === nth) await sleep(1_050);
          return next(args);
        },
      { step: "build" },
    );
    const options = { client, endpoint: sandbox.url, counts: noRequests(), copyPath: "sdk" } as const;
    return new S3ObjectStore({ ...options, capabilities: unknownCapabilities() });
  }

  it.each([
    ["does not rely on its HEAD of the target", 1, 0],
    ["does not send the probe, as its new object may be another's by now", 2, 1],
  ])("%s", async (_, nth, sent) => {
    sandbox.deleteObject("a", "copy");
    etag = sandbox.putObject("a", "plain", "body").etag;
    const before = sandbox.requests.count("CopyObject");
    const store = openSuspended(nth);
    await store.copy({ ...request(), onlyIfAbsent: true }).catch(() => {});
    expect(sandbox.requests.count("CopyObject") - before).toBe(sent);
    expect(store.protection().copies).toBe("unknown");
  });
});

describe("tags that a cut off copy in parts never got", () => {
  it("are not given to another object that replaces it while they wait for their turn", async () => {
    etag = sandbox.putObject("a", "plain", "body", { tags: { kind: "film" } }).etag;
    const copy = sandbox.putObject("a", "copy", "body");
    const others = { tags: { owner: "another" } };
    const waitLong: WriteLimiter = (writes, attempt) => {
      if (writes > 0) sandbox.putObject("a", "copy", "another's body", others);
      return attempt();
    };
    const result = await open("parts", true).finishCopy(request(), copy.etag, undefined, waitLong);
    expect(result.kind).toBe("precondition_failed");
    expect(sandbox.getObject("a", "copy")?.tags).toEqual(others.tags);
  });
});
