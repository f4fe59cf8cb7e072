/** Checks the end of a whole job without asking Tranship: by the SDK at the store, and by the rows. */

import { S3 } from "@aws-sdk/client-s3";
import { expect } from "vitest";
import type { SandboxKeys } from "../../src/sandbox-s3/protocol/accepted-credentials.ts";
import { WORKBENCH_KEYS, type Workbench } from "./worlds/workbench.ts";

/** Where the independent client has to look. */
export interface Lookout {
  readonly credentials?: SandboxKeys;
  readonly region?: string;
  /** Difference of the store's clock from ours. */
  readonly skewMs?: number;
}

/**
 * Every one of `keys` (as `fillStore` seeded them) is in `bucket-b` under its new key with its bytes and metadata,
 * nothing else is in either bucket, no upload was left open, and the rows name the new keys.
 */
export async function expectMoved(
  bench: Workbench,
  keys: readonly string[],
  { credentials = WORKBENCH_KEYS, region = "us-east-1", skewMs = 0 }: Lookout = {},
): Promise<void> {
  const client = new S3({
    endpoint: bench.store.url,
    region,
    forcePathStyle: true,
    credentials,
    systemClockOffset: skewMs,
  });
  const moved = keys.map((key) => key.replace("image/", "avatar/"));
  bench.store.faults.clear();
  const list = async (Bucket: string) => {
    const { Contents = [], IsTruncated } = await client.listObjectsV2({ Bucket });
    expect(IsTruncated).toBe(false);
    return Contents.map(({ Key }) => Key);
  };
  try {
    expect(await list("bucket-a")).toEqual([]);
    expect(await list("bucket-b")).toEqual(moved);
    for (const [at, Key] of moved.entries()) {
      const got = await client.getObject({ Bucket: "bucket-b", Key });
      expect(await got.Body?.transformToString()).toBe(`body of ${keys[at]}`);
      expect(got.Metadata).toEqual({ origin: "test" });
    }
    const versions = await client.listObjectVersions({ Bucket: "bucket-b" });
    expect(versions.Versions).toHaveLength(moved.length);
  } finally {
    client.destroy();
  }
  expect(bench.store.listUploads("bucket-b")).toEqual([]);
  expect(bench.paths()).toEqual(moved);
}
