import { describe, expect, it } from "vitest";
import type { TokenConfig } from "../../../src/config.ts";
import { door, doorForAll, GUARDED, JOB } from "./http-fakes.ts";

const SCOPES = ["read", "operate", "approve"] as const;
const secretOf = (name: string) => `${name}-secret-0123456789`;
const TOKENS: TokenConfig[] = [
  ...SCOPES.map((scope) => ({ name: `only-${scope}`, secret: secretOf(`only-${scope}`), scopes: [scope] })),
  { name: "ci", secret: secretOf("ci"), scopes: [...SCOPES] },
  { name: "none", secret: secretOf("none"), scopes: [] },
];

doorForAll(TOKENS);

const ask = (method: "GET" | "POST" | "PATCH", url: string, headers: Record<string, string>) =>
  door.app.inject({ method, url, headers, ...(method === "GET" ? {} : { payload: {} }) });
const bearer = (name: string) => ({ authorization: `Bearer ${secretOf(name)}` });

describe.each(GUARDED)("%s %s", (method, url, needed) => {
  it.each(TOKENS.map(({ name, scopes }) => ({ name, scopes })))(
    "asks for its scope: token $name",
    async ({ name, scopes }) => {
      const answer = await ask(method, url, bearer(name));
      if ((scopes as readonly string[]).includes(needed)) {
        expect(answer.statusCode).toBeLessThan(300);
        return;
      }
      expect(answer.statusCode).toBe(403);
      expect(answer.json().code).toBe("forbidden");
      expect(door.jobs.calls).toEqual([]);
    },
  );

  it("asks for a token", async () => {
    const answer = await ask(method, url, {});
    expect(answer.statusCode).toBe(401);
    expect(answer.headers["www-authenticate"]).toBe('Bearer realm="tranship"');
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    expect(answer.json().code).toBe("unauthenticated");
    expect(door.jobs.calls).toEqual([]);
  });
});

it("the table of guarded routes has every route there is", () => {
  const tree = door.app.printRoutes({ commonPrefix: false });
  const actions = [...tree.matchAll(/\((?:GET|POST|HEAD|, )+\)/g)];
  expect(actions.length).toBeGreaterThan(10);
  for (const [method, url] of GUARDED) {
    const path = url.split("?")[0]?.replace(JOB.id, ":id") ?? "";
    expect(door.app.hasRoute({ method, url: path })).toBe(true);
  }
});

describe("a token", () => {
  it.each([
    "Bearer wrong-secret-0123456789",
    `Bearer ${secretOf("ci")}x`,
    `Bearer ${secretOf("ci").toUpperCase()}`,
  ])("that is not known is refused: %s", async (authorization) => {
    const answer = await ask("GET", "/jobs", { authorization });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers["www-authenticate"]).toBe('Bearer realm="tranship", error="invalid_token"');
    expect(answer.body).not.toContain("secret-");
  });

  it.each(["", "Bearer", "Bearer ", `Basic ${secretOf("ci")}`, secretOf("ci"), `Bearer ${secretOf("ci")} x`])(
    "in another form is refused: %j",
    async (authorization) => {
      expect((await ask("GET", "/jobs", { authorization })).statusCode).toBe(401);
    },
  );

  it("may be announced in any case (RFC 9110 §11.1)", async () => {
    expect((await ask("GET", "/jobs", { authorization: `bearer ${secretOf("ci")}` })).statusCode).toBe(200);
  });

  it("that lacks a scope is told which", async () => {
    const answer = await ask("POST", `/jobs/${JOB.id}/approve`, bearer("only-operate"));
    expect(answer.headers["www-authenticate"]).toContain('error="insufficient_scope", scope="approve"');
    expect(answer.json().detail).toContain('"approve"');
  });

  it("names the actor", async () => {
    await ask("POST", "/jobs", bearer("ci"));
    await ask("POST", `/jobs/${JOB.id}/approve`, bearer("only-approve"));
    expect(door.jobs.calls[0]?.given[1]).toMatchObject({ actor: "ci" });
    expect(door.jobs.calls[1]?.given[2]).toBe("only-approve");
  });

  it("is asked for before anything is read: a bad body or query learns nothing", async () => {
    const headers = { "content-type": "text/plain" };
    const answer = await door.app.inject({ method: "POST", url: "/jobs?x=1", headers, payload: "x" });
    expect(answer.statusCode).toBe(401);
  });
});

it.each(["/health/live", "/health/ready", "/docs", "/docs/json", "/"])("%s is public", async (url) => {
  expect((await ask("GET", url, {})).statusCode).toBeLessThan(400);
});

it("unknown paths are 404 for every caller", async () => {
  expect((await ask("GET", "/nowhere", {})).statusCode).toBe(404);
});
