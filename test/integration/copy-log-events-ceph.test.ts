/** Ceph's own events of real copies and uploads, resent by it after failures, through queue and function 2 to the table. */

import { randomBytes } from "node:crypto";
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { type BucketEvents, startBucketEvents } from "../support/aws/events/bucket-events.ts";
import { type EventWorld, startEventWorld } from "../support/aws/events/event-world.ts";
import { copySource, createBuckets, s3ClientFor } from "../support/buckets.ts";
import { hostileKeys } from "../support/hostile-keys.ts";

const facts = inject("s3");
const client = s3ClientFor(facts);
let buckets: Record<"bucket-a" | "bucket-b", string>;
let world: EventWorld;
let events: BucketEvents;

beforeAll(async () => {
  buckets = await createBuckets(client, "bucket-a", "bucket-b");
  world = await startEventWorld([buckets["bucket-b"]]);
  events = await startBucketEvents(facts, client, buckets["bucket-b"], {
    prefix: "avatar/",
    deliver: (message) => world.queue.send(message),
  });
});
afterAll(async () => {
  await events.close();
  await world.close();
  client.destroy();
});

const target = (key: string) => ({ bucket: buckets["bucket-b"], key: `avatar/${key}` });
const targetName = (key: string) => `${buckets["bucket-b"]}/avatar/${key}`;

/** Function 1: a record, then the copy. */
async function recordAndCopy(key: string): Promise<void> {
  const source = { bucket: buckets["bucket-a"], key: `image/${key}` };
  const Body = randomBytes(9);
  await client.send(new PutObjectCommand({ Bucket: source.bucket, Key: source.key, Body }));
  const { ETag = "" } = await client.send(new HeadObjectCommand({ Bucket: source.bucket, Key: source.key }));
  const etag = ETag.replaceAll('"', "");
  const pinned = { ...source, etag, size: Body.length };
  await world.logs.begin({ job: "token-1", batch: 3, source: pinned, target: target(key) });
  await client.send(
    new CopyObjectCommand({
      Bucket: buckets["bucket-b"],
      Key: target(key).key,
      CopySource: copySource(source.bucket, source.key),
    }),
  );
}

/** An application that copies and uploads under the new prefix. */
async function writeForeign(): Promise<void> {
  const Bucket = buckets["bucket-b"];
  await client.send(new PutObjectCommand({ Bucket, Key: "elsewhere", Body: "x" }));
  await client.send(
    new CopyObjectCommand({ Bucket, Key: "avatar/copied", CopySource: copySource(Bucket, "elsewhere") }),
  );
  await client.send(new PutObjectCommand({ Bucket, Key: "avatar/put", Body: "x" }));
  const Key = "avatar/multipart";
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const part = { Bucket, Key, UploadId, PartNumber: 1 };
  const { ETag } = await client.send(new UploadPartCommand({ ...part, Body: "x" }));
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
  await client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload }));
}

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  // Ceph looks for new topics every 30 s.
  const end = performance.now() + 100_000;
  while (!(await isTrue())) {
    if (performance.now() > end) throw new Error("it did not come to pass");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

it("flags each copy that has a record, also under hostile keys, after Ceph had to send its events again", async () => {
  events.isBroken = true;
  const keys = hostileKeys.map((key) => key.slice(0, 1024 - "avatar/".length));
  for (const key of keys) await recordAndCopy(key);
  await writeForeign();
  await until(() => events.received.length > 0);
  events.isBroken = false;
  // One event each for the keys, the foreign copy and the foreign multipart upload; the PUT is not subscribed to.
  await until(() => new Set(events.received.map(({ s3 }) => s3.object.key)).size === keys.length + 2);
  await until(async () => (await world.logs.flagged(keys.map(target))).size === keys.length);
  await world.poller.drained();
  const rows = await world.table.rows();
  expect(Object.keys(rows).sort()).toEqual(keys.map(targetName).sort());
  expect(await world.queue.deadLetters()).toEqual([]);
  const sent = events.received.length;
  expect(sent).toBeGreaterThan(keys.length + 2);
  expect(events.received.map(({ s3 }) => s3.object.key)).not.toContain("avatar/put");
}, 120_000);
