/** Without tokens the service is for this machine alone: no other host's name, and no page of another origin. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Door, door, doorForAll, GUARDED, JOB, openDoor } from "./http-fakes.ts";

let closed: Door;
doorForAll();
beforeAll(async () => {
  closed = await openDoor([
    { name: "ci", secret: "ci-secret-0123456789", scopes: ["read", "operate", "approve"] },
  ]);
});
afterAll(() => closed.app.close());

const CHANGES = GUARDED.filter(([method]) => method !== "GET");
const PUBLIC = ["/health/live", "/health/ready", "/docs", "/docs/json", "/", "/nowhere"];
const HERE = "127.0.0.1:8080";

function ask(at: Door, method: "GET" | "POST" | "PATCH", url: string, headers: Record<string, string>) {
  return at.app.inject({ method, url, headers, ...(method === "GET" ? {} : { payload: {} }) });
}

describe("a request whose Host header names another host (DNS rebinding)", () => {
  const headers = { host: "evil.example:8080" };

  it.each(GUARDED)("is refused with the reason: %s %s", async (method, url) => {
    const answer = await ask(door, method, url, headers);
    expect(answer.statusCode).toBe(421);
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    expect(answer.json()).toMatchObject({ code: "misdirected", status: 421 });
    expect(answer.json().detail).toMatch(/tokens.*127\.0\.0\.1/);
    expect(door.jobs.calls).toEqual([]);
  });

  it.each(PUBLIC)("is refused, whatever it asks for: %s", async (url) => {
    expect((await ask(door, "GET", url, headers)).statusCode).toBe(421);
    expect(door.jobs.calls).toEqual([]);
  });

  it("is taken when tokens are configured, for then a page elsewhere knows none", async () => {
    const authorization = "Bearer ci-secret-0123456789";
    const answer = await ask(closed, "GET", "/jobs", { ...headers, authorization });
    expect(answer.statusCode).toBe(200);
    expect((await ask(closed, "GET", "/health/ready", headers)).statusCode).toBe(200);
  });
});

describe("a request that a proxy on this machine has forwarded", () => {
  it.each(["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"])(
    "is refused: %s",
    async (name) => {
      const headers = { host: HERE, [name]: "203.0.113.9" };
      const answer = await ask(door, "POST", "/jobs/j1/approve", headers);
      expect(answer.statusCode).toBe(421);
      expect(answer.json().detail).toMatch(/proxy.*tokens/);
      expect(door.jobs.calls).toEqual([]);
    },
  );
});

it.each(["localhost", "localhost:9090", HERE, "[::1]:8080"])("the host %s is this machine", async (host) => {
  expect((await ask(door, "GET", "/jobs", { host })).statusCode).toBe(200);
  expect((await ask(door, "GET", "/health/live", { host })).statusCode).toBe(200);
});

describe.each(CHANGES)("a browser's %s %s", (method, url) => {
  it.each([
    ["another site", { "sec-fetch-site": "cross-site" }],
    ["another port of this host", { "sec-fetch-site": "same-site" }],
    ["another port, as its origin says", { origin: "http://127.0.0.1:3000" }],
    ["another name of this host", { origin: "http://localhost:8080" }],
    ["a site, as its origin says", { origin: "https://evil.example" }],
    ["a file or a sandboxed frame", { origin: "null" }],
    [
      "another port, though the browser calls it the same",
      { "sec-fetch-site": "none", origin: "http://127.0.0.1" },
    ],
  ])("from a page of %s is refused with the reason", async (_page, headers: Record<string, string>) => {
    const answer = await ask(door, method, url, { host: HERE, ...headers });
    expect(answer.statusCode).toBe(403);
    expect(answer.json()).toMatchObject({ code: "forbidden" });
    expect(answer.json().detail).toMatch(/page/);
    expect(door.jobs.calls).toEqual([]);
  });

  it.each([
    { "sec-fetch-site": "same-origin", origin: `http://${HERE}` },
    { "sec-fetch-site": "none" },
    { origin: `http://${HERE}` },
    {},
  ])("from a page of the service itself, or from no page, is taken: %j", async (headers) => {
    const answer = await ask(door, method, url, { host: HERE, ...(headers as Record<string, string>) });
    expect(answer.statusCode).toBeLessThan(300);
  });
});

it("an origin behind a forwarded port or a proxy with TLS is the service's own when it names the same host", async () => {
  const url = `/jobs/${JOB.id}/pause`;
  const own: readonly (readonly [string, string])[] = [
    ["localhost:9090", "http://localhost:9090"],
    ["localhost", "https://localhost"],
    ["localhost:80", "http://localhost"],
    ["LOCALHOST:8080", "http://localhost:8080"],
  ];
  for (const [host, origin] of own) {
    expect((await ask(door, "POST", url, { host, origin })).statusCode).toBe(202);
  }
});

it("with tokens a request from any page is judged by its token alone", async () => {
  const headers = { authorization: "Bearer ci-secret-0123456789", origin: "https://ci.example" };
  const answer = await ask(closed, "POST", `/jobs/${JOB.id}/approve`, {
    ...headers,
    "sec-fetch-site": "cross-site",
  });
  expect(answer.statusCode).toBe(202);
});
