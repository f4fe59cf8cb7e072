/** What a bucket is like is asked all at once where it may be: each answer waited for is time before the first copy. */

import { createServer, type ServerResponse } from "node:http";
import { expect, it } from "vitest";
import { noRequests } from "../../../src/ports/object-store.ts";
import { openS3Client } from "../../../src/stores/s3/client/s3-client.ts";
import { S3ObjectStore } from "../../../src/stores/s3/s3-object-store.ts";

it("asks for versioning and encryption together, once the bucket is known to be there", async () => {
  const asked: string[] = [];
  const waiting: ServerResponse[] = [];
  // Answers neither question before it has heard both.
  const server = createServer((request, response) => {
    const question = `${request.method} ${/\?(\w+)/.exec(request.url ?? "")?.[1] ?? ""}`.trim();
    asked.push(question);
    if (question === "HEAD") return response.end();
    waiting.push(response);
    if (waiting.length === 2) {
      for (const one of waiting) one.writeHead(200).end("<VersioningConfiguration/>");
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const client = openS3Client({
    endpoint: `http://127.0.0.1:${port}`,
    forcePathStyle: true,
    accessKeyId: "k",
    secretAccessKey: "s",
  });
  const store = new S3ObjectStore({
    client,
    endpoint: "here",
    counts: noRequests(),
    timeouts: { requestMs: 2_000 },
  });
  try {
    expect(await store.bucketFacts("bucket-a")).toMatchObject({ exists: true, versioning: "off" });
    expect([asked[0], ...asked.slice(1).sort()]).toEqual(["HEAD", "GET encryption", "GET versioning"]);
  } finally {
    client.destroy();
    server.closeAllConnections();
    server.close();
  }
});
