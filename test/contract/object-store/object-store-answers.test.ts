/** What the S3 adapter makes of answers that no S3 server would give: proxies, portals, cut connections. */

import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COPY_PATHS, openStore } from "./object-store-under-test.ts";

const XML = '<?xml version="1.0" encoding="UTF-8"?>';
const PAGE = "<html><body><h1>Please log in</h1></body></html>";

describe.each(COPY_PATHS)("answers that are not from a store, copies %s", (copyPath) => {
  let server: Server;
  let answer: (response: ServerResponse) => void;
  let store: ReturnType<typeof openStore>["store"];

  beforeAll(async () => {
    server = createServer((request, response) => {
      request.resume().on("end", () => answer(response));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    store = openStore(at(endpoint)).store;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const at = (endpoint: string) => ({
    endpoint,
    accessKeyId: "k",
    secretAccessKey: "s3cr3t",
    otherStorageClass: null,
    copiesOnlyIfAbsent: true,
    deletesOnlyIfMatching: true,
    copyPath,
    close: async () => {},
  });
  const listing = { bucket: "b", prefix: "p/", startAfter: "p/b", limit: 10 };
  const copy = {
    source: { bucket: "b", key: "k", etag: "e", size: 1 },
    target: { bucket: "b", key: "t" },
    storageClass: null,
    onlyIfAbsent: false,
  };
  const send = (status: number, body: string, type = "application/xml") => {
    answer = (response) => response.writeHead(status, { "content-type": type }).end(body);
  };
  const codeOf = (call: Promise<unknown>) => call.then(String, (error: { code?: string }) => error.code);

  it.each([
    [200, PAGE, "store_unavailable"],
    [200, "Welcome", "store_unavailable"],
    [200, "", "store_unavailable"],
    [502, PAGE, "store_unavailable"],
    [503, "busy", "store_throttled"],
    [503, "", "store_throttled"],
    [500, "{}", "store_unavailable"],
    [429, "", "store_throttled"],
  ])("takes %i %j for what it is", async (status, body, code) => {
    send(status, body, "text/html");
    expect(await codeOf(store.list(listing))).toBe(code);
    expect(await codeOf(store.copy(copy))).toBe(code);
    expect(await codeOf(store.deleteObjects("b", [{ key: "k", etag: "e" }]))).toBe(code);
  });

  const listed = (content: string) => `${XML}<ListBucketResult>${content}</ListBucketResult>`;
  const entry = (key: string) =>
    `<Contents><Key>${key}</Key><Size>1</Size><ETag>&quot;e&quot;</ETag></Contents>`;

  it.each([
    ["more without a key", listed("<IsTruncated>true</IsTruncated>"), "store_unavailable"],
    ["no word on whether there is more", listed(entry("p/c")), "store_unavailable"],
    [
      "a key outside the prefix",
      listed(`<IsTruncated>false</IsTruncated>${entry("q")}`),
      "store_unavailable",
    ],
    ["a key before the position", listed(`<IsTruncated>false</IsTruncated>${entry("p/a")}`), "store_refused"],
    ["the position again", listed(`<IsTruncated>false</IsTruncated>${entry("p/b")}`), "store_refused"],
    [
      "keys out of order",
      listed(`<IsTruncated>false</IsTruncated>${entry("p/d")}${entry("p/c")}`),
      "store_refused",
    ],
  ])("refuses a listing with %s", async (_, body, code) => {
    send(200, body);
    expect(await codeOf(store.list(listing))).toBe(code);
  });

  it("reads a listing whose keys are not encoded as it is", async () => {
    send(200, listed(`<IsTruncated>false</IsTruncated>${entry("p/c+%41")}`));
    expect((await store.list(listing)).objects[0]?.key).toBe("p/c+%41");
    send(
      200,
      listed(`<EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>${entry("p/c+%2541")}`),
    );
    expect((await store.list(listing)).objects[0]?.key).toBe("p/c %41");
  });

  it("notices an answer that is cut short", async () => {
    answer = (response) => {
      response.writeHead(200, { "content-type": "application/xml", "content-length": "5000" });
      response.write(listed("<IsTruncated>false</IsTruncated>").slice(0, 60), () => response.destroy());
    };
    expect(await codeOf(store.list(listing))).toBe("store_unavailable");
    expect(await codeOf(store.copy(copy))).toBe("store_unavailable");
  });

  it("waits no longer than allowed for the end of an answer that has begun", async () => {
    const { store: bounded } = openStore(at(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), {
      timeouts: { requestMs: 100, copyMs: 100 },
    });
    answer = (response) => {
      response.writeHead(200, { "content-type": "application/xml" });
      response.write(XML);
    };
    await expect(bounded.copy(copy)).rejects.toMatchObject({ code: "store_unavailable" });
    await expect(bounded.list(listing)).rejects.toMatchObject({ code: "store_unavailable" });
  });

  it("takes a copy without an ETag for no copy", async () => {
    send(
      200,
      `${XML}<CopyObjectResult><LastModified>2026-01-01T00:00:00.000Z</LastModified></CopyObjectResult>`,
    );
    expect(await codeOf(store.copy(copy))).toBe("store_unavailable");
  });

  it("does not take silence about a key for its deletion", async () => {
    send(200, `${XML}<DeleteResult><Deleted><Key>spoken of</Key></Deleted></DeleteResult>`);
    const objects = ["spoken of", "passed over"].map((key) => ({ key, etag: "e" }));
    const results = await store.deleteObjects("b", objects);
    expect(results.map(({ failure }) => failure?.code)).toEqual([undefined, "delete_refused"]);
  });

  it("repeats nothing of what a store says about signatures", async () => {
    const secret = "AWS4-HMAC-SHA256 20260101T000000Z deadbeef";
    send(
      403,
      `${XML}<Error><Code>SignatureDoesNotMatch</Code><Message>${secret}</Message><StringToSign>${secret}</StringToSign></Error>`,
    );
    const error = await store.list(listing).catch((reason: unknown) => reason);
    const shown = [error, (error as Error).cause].map(
      (each) =>
        `${(each as Error).stack} ${JSON.stringify(each)} ${JSON.stringify(Object.getOwnPropertyDescriptors(each))}`,
    );
    expect(error).toMatchObject({ code: "store_credentials" });
    expect(shown.join()).not.toMatch(/AWS4-HMAC|deadbeef|s3cr3t/);
  });

  it("takes a refused connection and an unknown host for an outage", async () => {
    for (const endpoint of ["http://127.0.0.1:1", "http://no-such-host.invalid"]) {
      expect(await codeOf(openStore(at(endpoint)).store.list(listing))).toBe("store_unavailable");
    }
  });
});
