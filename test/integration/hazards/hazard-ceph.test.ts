/** A real store that ignores conditions, and an application that goes on writing to it: nothing of the application's is lost. */

import type { S3 } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import type { JobView } from "../../../src/jobs/view/job-view.ts";
import { createBuckets, fillBucket, listEverything, s3ClientFor } from "../../support/buckets.ts";
import { moved, sumsAgree, until } from "../../support/bystander.ts";
import { imageKeys, openWorkbench, type Workbench } from "../../support/worlds/workbench.ts";

const KEYS = imageKeys(400);

let bench: Workbench;
let client: S3;
let a: string;
let b: string;
beforeEach(async () => {
  const { endpoint, accessKeyId, secretAccessKey } = inject("s3");
  bench = await openWorkbench({ connect: { endpoint, accessKeyId, secretAccessKey } });
  client = s3ClientFor(inject("s3"));
  ({ a, b } = await createBuckets(client, "a", "b"));
  await fillBucket(
    client,
    a,
    KEYS.map((key) => ({ key, body: `body of ${key}` })),
  );
  bench.addRows(KEYS);
});
afterEach(async () => {
  await bench.close();
  client.destroy();
});

const put = (Bucket: string, Key: string, Body: string) => client.putObject({ Bucket, Key, Body });
const body = async (Bucket: string, Key: string): Promise<string | null> => {
  try {
    return (await (await client.getObject({ Bucket, Key })).Body?.transformToString()) ?? null;
  } catch {
    return null;
  }
};

function job(more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    source: { bucket: a, prefix: "image/" },
    target: { bucket: b, prefix: "avatar/" },
    inventory: { from: "bucket" },
    ...more,
  };
}

async function copiedSome(id: string): Promise<void> {
  await until(async () => (await listEverything(client, b)).size > 10);
  expect((await bench.jobs.get(id)).state).toBe("running");
}

function expectSums(view: JobView): void {
  expect(sumsAgree(view)).toBe(true);
}

describe("on Ceph", () => {
  it("objects of others that appear at new keys while the job copies at 40 requests a second all stay", async () => {
    const id = await bench.submit(job({ limits: { requestsPerSecond: 40 } }));
    const run = bench.work(id);
    await copiedSome(id);
    const foreign = KEYS.slice(300);
    for (const key of foreign) await put(b, moved(key), `another's ${key}`);
    await bench.jobs.amend(id, { limits: { requestsPerSecond: 2000 } }, { ifVersions: null, actor: "ann" });
    expectSums(await run);
    for (const key of foreign) {
      expect(await body(b, moved(key))).toBe(`another's ${key}`);
      expect(await body(a, key)).toBe(`body of ${key}`);
    }
    expect(await bench.exceptions(id)).toEqual(
      Object.fromEntries(foreign.map((key) => [key, "target_exists"])),
    );
  });

  it("every version that is written over a source while sources are deleted exists afterwards, where versions are kept", async () => {
    const VersioningConfiguration = { Status: "Enabled" } as const;
    await client.putBucketVersioning({ Bucket: a, VersioningConfiguration });
    const id = await bench.submit(job({ delete: { when: "approved", after: "0s" } }));
    const run = bench.work(id);
    await until(async () => (await bench.jobs.get(id)).waiting?.reason === "approval", 30_000);
    await bench.jobs.act(id, "approve", "ann");
    const written = new Map<string, string>();
    let isOver = false;
    const writer = (async () => {
      for (let at = 0; !isOver && at < 200; at += 1) {
        const key = KEYS[(at * 37) % KEYS.length] as string;
        const value = `version ${at} of ${key}`;
        await put(a, key, value);
        written.set(key, value);
      }
    })();
    const view = await run;
    isOver = true;
    await writer;
    expectSums(view);
    expect(written.size).toBeGreaterThan(20);
    for (const [key, value] of written)
      expect([await body(a, key), await body(b, moved(key))]).toContain(value);
  });
});
