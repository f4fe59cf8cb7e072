/** Single copies by pool and by SDK, side by side on one server: the same requests, and the same from every answer. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CopyRequest } from "../../../src/ports/object-store.ts";
import { hostileKeys } from "../../support/hostile-keys.ts";
import { COPY_PATHS, type CopyPath, openStore } from "./object-store-under-test.ts";

const XML = '<?xml version="1.0" encoding="UTF-8"?>\n';
const ETAG = '<ETag>"abc-3"</ETag>';
const result = (content: string) =>
  `${XML}<CopyObjectResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${content}</CopyObjectResult>`;
const failure = (code: string) =>
  `${XML}<Error><Code>${code}</Code><Message>said so</Message><Region>eu-west-1</Region></Error>`;
const copy: CopyRequest = {
  source: { bucket: "a", key: "k", etag: "e", size: 1 },
  target: { bucket: "b", key: "t" },
  storageClass: null,
  onlyIfAbsent: false,
};

describe("either way of sending single copies", () => {
  let server: Server;
  let endpoint: string;
  let seen: IncomingMessage[] = [];
  let answer: (response: ServerResponse, request: IncomingMessage) => void;

  beforeAll(async () => {
    server = createServer((request, response) => {
      seen.push(request);
      request.resume().on("end", () => answer(response, request));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  /** What became of a copy: the result, or all that an error tells, and what was counted. */
  async function outcome(
    copyPath: CopyPath,
    request: CopyRequest,
    more: Parameters<typeof openStore>[2] = {},
    options: Parameters<typeof openStore>[1] = {},
  ) {
    const { store, counts } = openStore(under, { copyPath, ...options }, { endpoint, ...more });
    const result = await store.copy(request).catch(({ code, message, details }) => {
      // Transport errors have one code either way, but words of their own.
      const vendorCode = details?.vendorCode?.replace(/^HPE_.*/, "HPE");
      return {
        code,
        details: { ...details, vendorCode },
        message: details?.status === undefined ? null : message,
      };
    });
    return { result, counts };
  }

  const under = {
    endpoint: "",
    accessKeyId: "k",
    secretAccessKey: "s3cr3t",
    otherStorageClass: null,
    copiesOnlyIfAbsent: true,
    deletesOnlyIfMatching: true,
    close: async () => {},
  };

  async function bothOutcomes(
    request: CopyRequest,
    more: Parameters<typeof openStore>[2] = {},
    options: Parameters<typeof openStore>[1] = {},
  ) {
    const pooled = await outcome("pooled", request, more, options);
    const sdk = await outcome("sdk", request, more, options);
    expect(pooled).toEqual(sdk);
    return pooled;
  }

  /** Path and headers, without what is the SDK's own or differs from one second to the next. */
  function essence({ method, url = "", headers }: IncomingMessage) {
    const own = /^(amz-sdk-.*|x-amz-user-agent|x-amz-date|authorization)$/;
    const kept = Object.entries(headers).filter(([name]) => !own.test(name));
    return { method, path: url.replace(/\?x-id=CopyObject$/, ""), headers: Object.fromEntries(kept) };
  }

  const anyKey = fc.string({ unit: "binary", minLength: 1, maxLength: 40 });
  const anyCopy = fc.record({
    source: fc.record({
      bucket: fc.constantFrom("a", "with.dot"),
      key: fc.oneof(anyKey, fc.constantFrom(...hostileKeys)),
      etag: fc.constantFrom("d41d8cd98f00b204e9800998ecf8427e", "x-3"),
      size: fc.constant(1),
    }),
    target: fc.record({
      bucket: fc.constantFrom("b", "b.dot"),
      key: fc.oneof(anyKey, fc.constantFrom(...hostileKeys)),
    }),
    storageClass: fc.constantFrom(null, "STANDARD_IA", "GLACIER"),
    onlyIfAbsent: fc.boolean(),
  });

  it("sends the same bytes, for any copy", async () => {
    answer = (response) => response.end(result(ETAG));
    const stores = COPY_PATHS.map((copyPath) =>
      ["", "/with a/prefix"].map((prefix) =>
        openStore(under, { copyPath }, { endpoint: endpoint + prefix, sessionToken: "token+/=" }),
      ),
    );
    const property = fc.asyncProperty(anyCopy, fc.constantFrom(0, 1), async (request, at) => {
      seen = [];
      for (const path of stores) {
        expect(await path[at]?.store.copy(request)).toEqual({ kind: "copied", etag: "abc-3" });
      }
      expect(seen).toHaveLength(2);
      const [pooled, sdk] = seen.map(essence);
      expect(pooled).toEqual(sdk);
    });
    await fc.assert(property, { numRuns: 150, interruptAfterTimeLimit: 15_000 });
  });

  it.each([
    ["quotes as entities", result("<ETag>&quot;abc&quot;</ETag>"), "abc"],
    ["quotes as numbers", result("<ETag>&#34;abc&#34;</ETag>"), "abc"],
    ["quotes as hexadecimal numbers", result("<ETag>&#x22;abc&#x22;</ETag>"), "abc"],
    ["no quotes", result("<ETag>abc</ETag>"), "abc"],
    ["no prolog", `<CopyObjectResult>${ETAG}</CopyObjectResult>`, "abc-3"],
    ["blanks to keep the connection", `${" \n".repeat(3000)}${result(`\n ${ETAG}\n`)}\n`, "abc-3"],
    [
      "more elements",
      result(`<LastModified>2026-01-01T00:00:00.000Z</LastModified>${ETAG}<ChecksumType>y</ChecksumType>`),
      "abc-3",
    ],
    ["an empty element", result(`<ChecksumCRC32/>${ETAG}`), "abc-3"],
    ["another ETag deeper down", result(`${ETAG}<More><ETag>"other"</ETag></More>`), "abc-3"],
  ])("reads a result with %s", async (_, body, etag) => {
    answer = (response) => {
      response.write(body.slice(0, body.length / 2));
      setTimeout(() => response.end(body.slice(body.length / 2)), 20);
    };
    expect((await bothOutcomes(copy)).result).toEqual({ kind: "copied", etag });
  });

  it.each([
    ["an error inside a 200", 200, failure("InternalError"), "store_unavailable"],
    ["throttling inside a 200", 200, failure("SlowDown"), "store_throttled"],
    [
      "an error after blanks",
      200,
      `${XML}   \n  <Error><Code>InternalError</Code></Error>`,
      "store_unavailable",
    ],
    ["an empty 200", 200, "", "store_unavailable"],
    ["a 200 of blanks", 200, "  \n ", "store_unavailable"],
    ["a document cut short", 200, result(ETAG).slice(0, -9), "store_unavailable"],
    ["an empty ETag", 200, result("<ETag></ETag>"), "store_unavailable"],
    ["quotes around nothing", 200, result('<ETag>""</ETag>'), "store_unavailable"],
    ["an empty result", 200, `${XML}<CopyObjectResult/>`, "store_unavailable"],
    ["a redirect with a body", 301, failure("PermanentRedirect"), "store_refused"],
    ["a redirect without a body", 301, "", "store_refused"],
    ["a temporary redirect", 307, failure("TemporaryRedirect"), "store_refused"],
    ["a wrong region", 400, failure("AuthorizationHeaderMalformed"), "store_refused"],
    ["expired credentials", 400, failure("ExpiredToken"), "store_credentials"],
    ["a wrong token", 400, failure("InvalidToken"), "store_credentials"],
    ["a wrong signature", 403, failure("SignatureDoesNotMatch"), "store_credentials"],
    ["a skewed clock", 403, failure("RequestTimeTooSkewed"), "store_unavailable"],
    ["a missing bucket", 404, failure("NoSuchBucket"), "bucket_missing"],
    ["a conflict", 409, failure("ConditionalRequestConflict"), "store_unavailable"],
    ["bare 429", 429, "", "store_throttled"],
    ["bare 503", 503, "", "store_throttled"],
    ["a proxy's page", 502, "<html><body>Bad gateway</body></html>", "store_unavailable"],
  ])("throws the same for %s", async (_, status, body, code) => {
    answer = (response) => response.writeHead(status, { location: "http://127.0.0.1:1/elsewhere" }).end(body);
    expect((await bothOutcomes(copy)).result).toMatchObject({ code });
  });

  it.each([
    ["no such key", 404, failure("NoSuchKey"), { kind: "source_gone" }],
    ["bare 404", 404, "", { kind: "source_gone" }],
    ["a failed condition", 412, failure("PreconditionFailed"), { kind: "precondition_failed" }],
    ["bare 412", 412, "", { kind: "precondition_failed" }],
    ["a denial", 403, failure("AccessDenied"), { failure: { code: "access_denied" } }],
    ["bare 403", 403, "", { failure: { code: "access_denied" } }],
    ["an archive", 403, failure("ObjectNotInActiveTierError"), { failure: { code: "needs_restore" } }],
    ["a long key", 400, failure("KeyTooLongError"), { failure: { code: "key_too_long" } }],
    ["a refusal", 400, failure("InvalidRequest"), { failure: { message: "InvalidRequest: said so" } }],
    ["an unknown header", 501, failure("NotImplemented"), { failure: { code: "copy_refused" } }],
  ])("gives the same for %s", async (_, status, body, expected) => {
    answer = (response) => response.writeHead(status).end(body);
    expect((await bothOutcomes({ ...copy, onlyIfAbsent: true })).result).toMatchObject(expected);
  });

  it.each([
    ["a reset instead of an answer", (response: ServerResponse) => response.destroy()],
    ["an end instead of an answer", (response: ServerResponse) => response.socket?.end()],
    ["a reset", (response: ServerResponse) => response.socket?.resetAndDestroy()],
    [
      "a body shorter than announced",
      (response: ServerResponse) => {
        response.writeHead(200, { "content-length": "5000" });
        response.write(result(ETAG), () => response.socket?.end());
      },
    ],
    [
      "chunks that do not end",
      (response: ServerResponse) => {
        response.writeHead(200);
        response.write(result(ETAG), () => setTimeout(() => response.destroy(), 20));
      },
    ],
    ["an answer that is not HTTP", (response: ServerResponse) => response.socket?.end("220 smtp\r\n\r\n")],
    [
      "a body longer than announced",
      (response: ServerResponse) =>
        response.socket?.end(`HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n${result(ETAG)}`),
    ],
  ])("takes %s for an outage", async (_, reply) => {
    answer = reply;
    expect((await bothOutcomes(copy)).result).toMatchObject({ code: "store_unavailable" });
  });

  it.each(["http://127.0.0.1:1", "http://no-such-host.invalid"])(
    "takes %s for an outage",
    async (nowhere) => {
      const { result } = await bothOutcomes(copy, { endpoint: nowhere });
      expect(result).toMatchObject({ code: "store_unavailable" });
    },
  );

  it.each(COPY_PATHS)(
    "waits for credentials until a stop or for as long as a request may take: %s",
    async (copyPath) => {
      const open = (requestMs: number) => {
        const { store, client, counts } = openStore(
          under,
          { copyPath, timeouts: { requestMs } },
          { endpoint },
        );
        client.config.credentials = () => new Promise(() => {});
        return { store, counts };
      };
      const stop = new AbortController();
      const { store, counts } = open(5_000);
      const stopped = store.copy(copy, stop.signal);
      setTimeout(() => stop.abort(), 20);
      await expect(stopped).rejects.toMatchObject({ code: "stopped" });
      expect(counts.copy).toBe(0);
      const late = open(20).store.copy(copy);
      await expect(late).rejects.toMatchObject({ code: "store_unavailable" });
    },
  );

  it("refuses what cannot be sent", async () => {
    answer = (response) => response.end(result(ETAG));
    const lone = { ...copy, target: { bucket: "b", key: "\ud800" } };
    expect((await bothOutcomes(lone)).result).toMatchObject({ failure: { code: "copy_refused" } });
    const odd = { ...copy, target: { bucket: "a/b", key: "k" } };
    expect((await bothOutcomes(odd)).result).toMatchObject({ failure: { code: "copy_refused" } });
  });
});
