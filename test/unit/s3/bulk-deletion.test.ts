/** The list of a bulk deletion, as the SDK would have written and sent it. */

import { DeleteObjectsCommand, S3Client } from "@aws-sdk/client-s3";
import fc from "fast-check";
import { expect, it } from "vitest";
import { bulkDeletion, deletionBody } from "../../../src/stores/s3/delete/bulk-deletion.ts";

interface Sent {
  readonly body: string;
  readonly headers: Record<string, string>;
}

/** What would go out for `command`. */
async function sentFor(command: DeleteObjectsCommand): Promise<Sent> {
  let sent: Sent | null = null;
  const client = new S3Client({
    region: "us-east-1",
    credentials: { accessKeyId: "a", secretAccessKey: "b" },
    maxAttempts: 1,
    requestHandler: {
      handle: async (request: Sent) => {
        sent = { body: String(request.body), headers: request.headers };
        throw new Error("seen");
      },
    },
  });
  await expect(client.send(command)).rejects.toThrow("seen");
  if (sent === null) throw new Error("nothing was sent");
  return sent;
}

const text = fc.oneof(
  fc.string({ unit: fc.constantFrom(..."ab/&<>\"'\r\n\u0085\u2028é😀 ]+%"), minLength: 1, maxLength: 30 }),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 }),
);
const deletions = fc.array(fc.record({ key: text, etag: fc.option(text.map((etag) => `"${etag}"`)) }), {
  minLength: 1,
  maxLength: 20,
});

it("has the bytes, length and checksum the SDK would have sent", async () => {
  await fc.assert(
    fc.asyncProperty(deletions, async (objects) => {
      const Objects = objects.map(({ key, etag }) => ({ Key: key, ...(etag !== null && { ETag: etag }) }));
      const theirs = await sentFor(
        new DeleteObjectsCommand({ Bucket: "bkt", Delete: { Objects, Quiet: false } }),
      );
      const ours = await sentFor(bulkDeletion("bkt", objects));
      expect(deletionBody(objects)).toBe(theirs.body);
      expect(ours.body).toBe(theirs.body);
      for (const name of ["content-length", "content-type", "x-amz-checksum-crc32", "x-amz-content-sha256"]) {
        expect(ours.headers[name]).toBe(theirs.headers[name]);
      }
    }),
    { numRuns: 60 },
  );
});
