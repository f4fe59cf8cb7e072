/** What the pool of single copies adds: connections, time limits, credentials that expire. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type CopyRequest, noRequests } from "../../../src/ports/object-store.ts";
import { openConnections } from "../../../src/stores/open-connections.ts";
import { openS3Client } from "../../../src/stores/s3/client/s3-client.ts";
import { PooledCopies } from "../../../src/stores/s3/copy/pooled-copies.ts";
import { S3ObjectStore } from "../../../src/stores/s3/s3-object-store.ts";

const RESULT = "<CopyObjectResult><ETag>&quot;abc&quot;</ETag></CopyObjectResult>";
const KEYS = { accessKeyId: "k", secretAccessKey: "s3cr3t" };
const DONE = { kind: "copied", etag: "abc" };
const copyTo = (key: string): CopyRequest => ({
  source: { bucket: "a", key: "k", etag: "e", size: 1 },
  target: { bucket: "b", key },
  storageClass: null,
  onlyIfAbsent: false,
});
const expired = (response: ServerResponse) =>
  response.writeHead(400).end("<Error><Code>ExpiredToken</Code><Message>old</Message></Error>");

describe("the pool of single copies", () => {
  let server: Server;
  let endpoint: string;
  let seen: string[];
  let sockets: Set<Socket>;
  let opened: number;
  let answer: (response: ServerResponse, request: IncomingMessage) => void;

  beforeEach(async () => {
    seen = [];
    sockets = new Set();
    opened = 0;
    answer = (response) => response.end(RESULT);
    server = createServer((request, response) => {
      seen.push(request.url ?? "");
      request.resume().on("end", () => answer(response, request));
    });
    server.keepAliveTimeout = 60_000;
    server.on("connection", (socket) => {
      sockets.add(socket);
      opened += 1;
      socket.on("close", () => sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    vi.restoreAllMocks();
    server.closeAllConnections();
    server.close();
  });

  function open(
    maxSockets = 512,
    copyMs = 5_000,
    client = openS3Client({ endpoint, ...KEYS, forcePathStyle: true }),
  ) {
    const counts = noRequests();
    const pools = new PooledCopies(client, { maxSockets });
    return {
      store: new S3ObjectStore({ client, endpoint, counts, pools, timeouts: { copyMs } }),
      counts,
      pools,
    };
  }

  /** A client with a provider of the test's own. */
  const clientOf = (credentials: NonNullable<S3ClientConfig["credentials"]>) =>
    new S3Client({ endpoint, region: "eu-west-1", forcePathStyle: true, maxAttempts: 1, credentials });

  /** Takes the first credentials for expired. */
  const refuseFirst: typeof answer = (response, { headers }) =>
    headers["x-amz-security-token"] === "token-1" ? expired(response) : response.end(RESULT);

  /** Makes `count` copies at once. */
  const copyMany = async (store: S3ObjectStore, count: number) => {
    const results = await Promise.all(Array.from({ length: count }, (_, at) => store.copy(copyTo(`${at}`))));
    expect(results).toEqual(results.map(() => DONE));
  };

  /** Answers each copy after 3 ms; gives a function that tells the most connections open at once. */
  function answerSlowly(): () => number {
    let peak = 0;
    answer = (response) => {
      peak = Math.max(peak, sockets.size);
      setTimeout(() => response.end(RESULT), 3);
    };
    return () => peak;
  }

  it("tells of an answer at once, so that the next copy follows on the same connection", async () => {
    const { store, pools } = open();
    const results: Promise<unknown>[] = [];
    const copyAndGoOn = (turn: number) => {
      const onAnswered = () => {
        expect(seen).toHaveLength(turn + 1);
        if (turn < 9) copyAndGoOn(turn + 1);
      };
      results.push(store.copy({ ...copyTo(`${turn}`), onAnswered }));
    };
    await store.copy(copyTo("warm"));
    seen = [];
    const ports = new Set<number | undefined>();
    answer = (response, request) => {
      ports.add(request.socket.remotePort);
      response.end(RESULT);
    };
    copyAndGoOn(0);
    await expect.poll(() => results.length).toBe(10);
    expect(await Promise.all(results)).toEqual(results.map(() => DONE));
    expect([sockets.size, ports.size]).toEqual([1, 1]);
    await pools.close();
  });

  it.each<[string, (response: ServerResponse) => void]>([
    ["a refusal", (response) => response.writeHead(403).end("<Error><Code>AccessDenied</Code></Error>")],
    ["an empty ETag", (response) => response.end("<CopyObjectResult><ETag></ETag></CopyObjectResult>")],
    ["a failure in a success", (response) => response.end("<Error><Code>InternalError</Code></Error>")],
    ["a reset", (response) => response.destroy()],
  ])("does not take %s for an answer whose place is free", async (_, fail) => {
    answer = fail;
    const { store, pools } = open();
    let told = 0;
    const copying = store.copy({ ...copyTo("x"), onAnswered: () => (told += 1) });
    await copying.catch(() => {});
    expect(seen).toHaveLength(1);
    expect(told).toBe(0);
    await pools.close();
  });

  it("opens no more connections than there are copies at once", async () => {
    const peak = answerSlowly();
    const { store, pools } = open();
    const copyInTurn = async (worker: number) => {
      for (let turn = 0; turn < 20; turn += 1)
        expect(await store.copy(copyTo(`${worker}-${turn}`))).toEqual(DONE);
    };
    await Promise.all(Array.from({ length: 5 }, (_, worker) => copyInTurn(worker)));
    expect(peak()).toBe(5);
    await pools.close();
  });

  it("keeps connections, and opens no more than allowed", async () => {
    const peak = answerSlowly();
    const { store, pools } = open(4);
    await copyMany(store, 40);
    expect(peak()).toBe(4);
    expect(sockets.size).toBe(4);
    await pools.close();
    await expect.poll(() => sockets.size).toBe(0);
  });

  it("closes its connections with the others", async () => {
    const connections = openConnections({
      stores: { main: { endpoint, ...KEYS, forcePathStyle: true } },
      databases: {},
    });
    const [one, another] = [1, 2].map(() => connections.store("main", noRequests()));
    for (const store of [one, another, one, another, one, another]) {
      expect(await store?.copy(copyTo("k"))).toEqual(DONE);
    }
    // One pool for all jobs; an answer comes a moment before its connection is free again, hence two.
    expect(sockets.size).toBeLessThanOrEqual(2);
    await connections.close();
    await expect.poll(() => sockets.size).toBe(0);
  });

  it("does not begin what ran out of time while it waited for a connection", async () => {
    const held: ServerResponse[] = [];
    answer = (response) => held.push(response);
    const unhurried = open(1, 2_000);
    const first = unhurried.store.copy(copyTo("first"));
    await expect.poll(() => held.length).toBe(1);
    const bounded = new S3ObjectStore({
      client: openS3Client({ endpoint, ...KEYS, forcePathStyle: true }),
      endpoint,
      counts: noRequests(),
      pools: unhurried.pools,
      timeouts: { copyMs: 50 },
    });
    await expect(bounded.copy(copyTo("second"))).rejects.toMatchObject({
      code: "store_unavailable",
      details: { vendorCode: "Timeout" },
    });
    held[0]?.end(RESULT);
    expect(await first).toEqual(DONE);
    answer = (response) => response.end(RESULT);
    expect(await unhurried.store.copy(copyTo("third"))).toEqual(DONE);
    expect(seen).toEqual(["/b/first", "/b/third"]);
    // Nor does it cost the connection it would have gone on.
    expect(opened).toBe(1);
  });

  it("never cuts a request that has begun, and never sends one twice", async () => {
    const stop = new AbortController();
    answer = (response) => {
      stop.abort();
      setTimeout(() => response.end(RESULT), 20);
    };
    const { store } = open();
    expect(await store.copy(copyTo("k"), stop.signal)).toEqual(DONE);
    // On a connection that has served before, where others would suspect the connection and try again.
    answer = (response) => response.destroy();
    await expect(store.copy(copyTo("k"))).rejects.toMatchObject({ details: { vendorCode: "ECONNRESET" } });
    expect(seen).toHaveLength(2);
  });

  it("outlives a store that refuses connections while more copies wait for one", async () => {
    const { store, pools } = open(2);
    const { port } = server.address() as AddressInfo;
    server.close();
    const refused = Array.from({ length: 6 }, (_, at) => store.copy(copyTo(`${at}`)));
    const codes = (await Promise.allSettled(refused)).map((end) => end.status === "rejected" && end.reason);
    const gone = expect.objectContaining({ code: "store_unavailable" });
    expect(codes).toEqual(refused.map(() => gone));
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    await copyMany(store, 6);
    expect(sockets.size).toBe(2);
    await pools.close();
  });

  it("survives a server that closes idle connections", async () => {
    const { store } = open();
    for (let round = 0; round < 5; round++) {
      expect(await store.copy(copyTo("k"))).toEqual(DONE);
      server.closeIdleConnections();
      await expect.poll(() => sockets.size).toBe(0);
    }
  });

  it("takes credentials from the SDK's provider, and others once when they are refused", async () => {
    let issued = 0;
    const client = clientOf(async () => {
      issued += 1;
      return { ...KEYS, sessionToken: `token-${issued}`, expiration: new Date(Date.now() + 3_600_000) };
    });
    answer = refuseFirst;
    const { store, counts } = open(512, 5_000, client);
    await copyMany(store, 20);
    expect(issued).toBe(2);
    expect(counts.copy).toBe(40);
    answer = expired;
    const refused = open(512, 5_000, client);
    await expect(refused.store.copy(copyTo("k"))).rejects.toMatchObject({ code: "store_credentials" });
    expect(refused.counts.copy).toBe(2);
    expect(issued).toBe(3);
  });

  it("uses the renewed credentials at once, though others were asked for while they were renewed", async () => {
    let issued = 0;
    let renew = () => {};
    const client = clientOf(async () => {
      issued += 1;
      const sessionToken = `token-${issued}`;
      if (issued > 1) await new Promise<void>((resolve) => (renew = resolve));
      return { ...KEYS, sessionToken, expiration: new Date(Date.now() + 3_600_000) };
    });
    const { store, counts } = open(512, 5_000, client);
    expect(await store.copy(copyTo("before"))).toEqual(DONE);
    answer = refuseFirst;
    // All of it within one second of the clock, for which credentials are kept.
    const now = Date.now();
    vi.spyOn(Date, "now").mockReturnValue(now);
    const first = store.copy(copyTo("first"));
    await expect.poll(() => issued).toBe(2);
    const second = store.copy(copyTo("second"));
    await expect.poll(() => counts.copy).toBe(3);
    await new Promise((resolve) => setImmediate(resolve));
    renew();
    expect(await Promise.all([first, second])).toEqual([DONE, DONE]);
  });

  it("renews credentials before they expire", async () => {
    const tokens = new Set<unknown>();
    let issued = 0;
    // The SDK renews five minutes early, so these are to be renewed each time.
    const client = clientOf(async () => ({
      ...KEYS,
      sessionToken: `token-${++issued}`,
      expiration: new Date(Date.now() + 240_000),
    }));
    answer = (response, { headers }) => {
      tokens.add(headers["x-amz-security-token"]);
      response.end(RESULT);
    };
    const { store } = open(512, 5_000, client);
    for (const key of ["one", "two", "three"]) expect(await store.copy(copyTo(key))).toEqual(DONE);
    expect(tokens.size).toBe(3);
  });

  it("takes over the store's clock, as the SDK does", async () => {
    const ahead = new Date(Date.now() + 7_200_000);
    const dates: string[] = [];
    answer = (response, { headers }) => {
      dates.push(String(headers["x-amz-date"]));
      if (dates.length > 1) return response.end(RESULT);
      response.writeHead(403, { date: ahead.toUTCString() });
      return response.end("<Error><Code>RequestTimeTooSkewed</Code></Error>");
    };
    const { store } = open();
    await expect(store.copy(copyTo("k"))).rejects.toMatchObject({ code: "store_unavailable" });
    expect(await store.copy(copyTo("k"))).toEqual(DONE);
    const [first = "", second = ""] = dates;
    expect(first < second).toBe(true);
    expect(second.slice(0, 11)).toBe(`${ahead.toISOString().slice(0, 13).replaceAll("-", "")}`);
  });

  it("says that there are no credentials", async () => {
    const client = clientOf(() =>
      Promise.reject(Object.assign(new Error("none"), { name: "CredentialsProviderError" })),
    );
    const { store } = open(512, 5_000, client);
    await expect(store.copy(copyTo("k"))).rejects.toMatchObject({ code: "store_credentials" });
    expect(seen).toEqual([]);
  });
});
