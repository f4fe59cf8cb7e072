/** Function 1 as it is packaged, against a real store: headers, metadata, tags and keys arrive as they were. */

import { PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import {
  copyEvent,
  type GivenTask,
  outcomesOf,
  packageOf,
  startCopyFunction,
} from "../support/aws/copy-function.ts";
import type { LambdaRuntime } from "../support/aws/lambda-runtime.ts";
import { createBuckets, listEverything, readObject, s3ClientFor } from "../support/buckets.ts";
import { hostileKeys } from "../support/hostile-keys.ts";

const client = s3ClientFor(inject("s3"));
let from: string;
let to: string;
let runtime: LambdaRuntime;

beforeAll(async () => {
  ({ from, to } = await createBuckets(client, "from", "to"));
  runtime = startCopyFunction(await packageOf("copy-object"), inject("s3"), { concurrency: 1 });
}, 120_000);

afterAll(async () => {
  await runtime?.close();
  client.destroy();
});

async function put(n: number, name: string): Promise<GivenTask> {
  const key = `image/${name}`;
  const Body = `body ${n}`;
  const own = [
    {},
    { ContentType: "image/png", Metadata: { owner: `owner-${n}` }, Tagging: `team=t${n}` },
    { CacheControl: `max-age=${n}`, ContentDisposition: "attachment" },
    { ContentEncoding: "gzip", Tagging: "only=tag" },
  ][n % 4];
  const { ETag = "" } = await client.send(new PutObjectCommand({ Bucket: from, Key: key, Body, ...own }));
  return { key, etag: ETag.replaceAll('"', ""), size: Body.length };
}

it("copies objects one after the other in one warm process, each with what is its own", async () => {
  const names = [
    ...Array.from({ length: 24 }, (_, n) => `${n}.jpg`),
    ...hostileKeys.filter((key) => key.length < 1000),
  ];
  const tasks = await Promise.all(names.map((name, n) => put(n, name)));
  const terms = {
    token: "token",
    sourceBucket: from,
    sourcePrefix: "image/",
    targetBucket: to,
    targetPrefix: "avatar/",
    notAfter: null,
    leastMs: 0,
    copyLogs: null,
    updates: null,
  };
  for (const task of tasks)
    expect(outcomesOf(await runtime.invoke(copyEvent(terms, [task])))).toEqual([
      { kind: "copied", etag: task.etag },
    ]);
  expect(runtime.started).toBe(1);
  expect([...(await listEverything(client, from)).keys()].sort()).toEqual(tasks.map(({ key }) => key).sort());
  for (const { key } of tasks) {
    const source = await readObject(client, from, key);
    const target = await readObject(client, to, key.replace("image/", "avatar/"));
    const { LastModified: _, ...head } = source!.head;
    expect(target).toMatchObject({ head, tags: source!.tags });
    expect(target?.head.Metadata).toEqual(head.Metadata);
    expect(target?.tags).toEqual(source!.tags);
  }
});
