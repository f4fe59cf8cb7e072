/** Reading a large answer before the SDK does: copies that were answered meanwhile come in between. */

import { ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { expect, it } from "vitest";
import { interceptResponse } from "../../../src/stores/s3/client/response-interceptor.ts";

const EMPTY = "<ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>";
const FULL = "<ListBucketResult><KeyCount>1</KeyCount></ListBucketResult>";

/** A client whose store answers with `body`; `onAnswer` is called as it does. */
function clientOf(body: string, onAnswer: () => void): S3Client {
  return new S3Client({
    region: "us-east-1",
    credentials: { accessKeyId: "k", secretAccessKey: "s" },
    requestHandler: {
      async handle() {
        onAnswer();
        return { response: { statusCode: 200, headers: {}, body: Buffer.from(body) } } as never;
      },
    },
  });
}

it("lets what was answered meanwhile be used before the reading, and before what comes of it", async () => {
  const seen: string[] = [];
  const copyIsAnswered = () => setImmediate(() => seen.push("copy"));
  const command = new ListObjectsV2Command({ Bucket: "b" });
  const parsed = interceptResponse(
    command,
    (body) => {
      seen.push("read");
      copyIsAnswered();
      return body;
    },
    EMPTY,
  );
  const output = await clientOf(FULL, copyIsAnswered).send(command);
  seen.push("given");
  expect(seen).toEqual(["copy", "read", "copy", "given"]);
  expect(parsed()).toBe(FULL);
  expect(output.KeyCount).toBe(0);
});

it("leaves to the SDK what it cannot read", async () => {
  const command = new ListObjectsV2Command({ Bucket: "b" });
  const parsed = interceptResponse(command, () => null, EMPTY);
  const output = await clientOf(FULL, () => {}).send(command);
  expect(parsed()).toBeNull();
  expect(output.KeyCount).toBe(1);
});
