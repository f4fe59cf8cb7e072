/** The grace period of refused credentials over the runs of a job, each of which opens the store again. */

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { noRequests } from "../../../src/ports/object-store.ts";
import { openConnections } from "../../../src/stores/open-connections.ts";

const GRACE_MS = 100;
const PAGE = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";

let server: Server;
let connections: ReturnType<typeof openConnections>;
let isExpired: boolean;

beforeEach(async () => {
  isExpired = false;
  server = createServer((_, response) => {
    if (isExpired) response.writeHead(400).end("<Error><Code>ExpiredToken</Code></Error>");
    else response.end(PAGE);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const main = { endpoint, accessKeyId: "k", secretAccessKey: "s3cr3t", forcePathStyle: true };
  connections = openConnections({ stores: { main }, databases: {} }, { credentialsMs: GRACE_MS });
});

afterEach(async () => {
  await connections.close();
  server.closeAllConnections();
  server.close();
});

it("is over for all at once, and begins anew with each run", async () => {
  const open = () => connections.store("main", noRequests(), () => true);
  const list = (store: ReturnType<typeof open>) =>
    store.list({ bucket: "b", prefix: "", startAfter: null, limit: 1 });
  const first = open();
  await list(first);
  isExpired = true;
  await expect(list(first)).rejects.toMatchObject({ code: "store_unavailable" });
  await sleep(GRACE_MS);
  await expect(list(first)).rejects.toMatchObject({ code: "store_credentials" });
  // Those that were under way when it gave up need not wait once more each, and so the job pauses at once.
  await expect(list(first)).rejects.toMatchObject({ code: "store_credentials" });
  const look = connections.store("main", noRequests());
  await expect(list(look)).rejects.toMatchObject({ code: "store_credentials" });
  await expect(list(open())).rejects.toMatchObject({ code: "store_unavailable" });
});
