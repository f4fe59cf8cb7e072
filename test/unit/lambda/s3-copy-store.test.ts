/** The requests of a function by the SDK, whose HTTP handler is the test's. */

import { Readable } from "node:stream";
import { S3Client } from "@aws-sdk/client-s3";
import { expect, it } from "vitest";
import { encodeTask } from "../../../src/engines/aws/copy-task.ts";
import { planCopy } from "../../../src/lambda/planned-copy.ts";
import { S3CopyStore } from "../../../src/lambda/s3-copy-store.ts";
import { TASK, TERMS } from "./lambda-fakes.ts";

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

function storeThatAnswers(statusCode: number, body: string, headers: Record<string, string> = {}) {
  const sent: Sent[] = [];
  const client = new S3Client({
    region: "eu-central-1",
    credentials: { accessKeyId: "id", secretAccessKey: "secret" },
    maxAttempts: 1,
    requestHandler: {
      handle: async (request: Sent) => {
        sent.push(request);
        return { response: { statusCode, headers, body: Readable.from([Buffer.from(body)]) } };
      },
    },
  });
  return { store: new S3CopyStore(client), sent };
}

const planned = (task: Partial<typeof TASK> = {}) =>
  planCopy(TERMS, { taskId: "t", bucket: "from", field: encodeTask({ ...TASK, ...task }) });
const ALWAYS = () => true;
const { signal } = new AbortController();
const COPIED = `<CopyObjectResult><ETag>&quot;${TASK.etag}&quot;</ETag></CopyObjectResult>`;

it("asks for metadata, tags and class to be kept, of the planned version, where nothing stands", async () => {
  const { store, sent } = storeThatAnswers(200, COPIED);
  const task = { key: "image/a+b ü.jpg", storageClass: "STANDARD_IA" };
  expect(await store.copy(planned(task), ALWAYS, signal)).toBe(TASK.etag);
  expect(sent).toMatchObject([
    {
      method: "PUT",
      headers: {
        "x-amz-copy-source": "from/image/a%2Bb%20%C3%BC.jpg",
        "x-amz-copy-source-if-match": `"${TASK.etag}"`,
        "if-none-match": "*",
        "x-amz-metadata-directive": "COPY",
        "x-amz-tagging-directive": "COPY",
        "x-amz-storage-class": "STANDARD_IA",
      },
    },
  ]);
  expect(sent[0]?.headers["if-match"]).toBeUndefined();
});

it("names the object that may be replaced, and that one only", async () => {
  const { store, sent } = storeThatAnswers(200, COPIED);
  await store.copy(planned({ replacing: "abc" }), ALWAYS, signal);
  expect(sent[0]?.headers).toMatchObject({ "if-match": '"abc"' });
  expect(sent[0]?.headers["if-none-match"]).toBeUndefined();
});

it.each(["<CopyObjectResult></CopyObjectResult>", "<Error><Code>InternalError</Code></Error>"])(
  "takes 200 for success only with an ETag: %s",
  async (body) => {
    const { store } = storeThatAnswers(200, body);
    await expect(store.copy(planned(), ALWAYS, signal)).rejects.toMatchObject({ kind: "unavailable" });
  },
);

it("sends nothing when it may no longer begin", async () => {
  const { store, sent } = storeThatAnswers(200, COPIED);
  await expect(store.copy(planned(), () => false, signal)).rejects.toMatchObject({ kind: "unavailable" });
  expect(sent).toEqual([]);
});

it("sees at the target an object, none, or that it may not look", async () => {
  const headers = { etag: `"${TASK.etag}"`, "content-length": "5" };
  const found = storeThatAnswers(200, "", headers);
  expect(await found.store.lookAtTarget(planned(), signal)).toEqual({ etag: TASK.etag, size: 5 });
  expect(found.sent).toMatchObject([{ method: "HEAD" }]);
  expect(await storeThatAnswers(404, "").store.lookAtTarget(planned(), signal)).toBeNull();
  const denied = storeThatAnswers(403, "").store.lookAtTarget(planned(), signal);
  await expect(denied).rejects.toMatchObject({ kind: "denied" });
});
