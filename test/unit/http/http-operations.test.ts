import { describe, expect, it } from "vitest";
import { DomainError } from "../../../src/domain/errors.ts";
import { door, doorForAll } from "./http-fakes.ts";

doorForAll();
const get = (url: string) => door.app.inject({ method: "GET", url });

describe("health", () => {
  it("is live while the process runs, whatever else does not", async () => {
    door.jobs.error = new Error("everything is broken");
    const answer = await get("/health/live?probe=1");
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({ status: "live", version: "1.2.3" });
  });

  it("is ready while the ledger answers", async () => {
    const answer = await get("/health/ready");
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({ status: "ready" });
  });

  it.each([new DomainError("ledger_unavailable", "The ledger is locked."), new Error("secret detail")])(
    "is not ready when asking it throws %s",
    async (error) => {
      door.jobs.error = error;
      const answer = await get("/health/ready");
      expect(answer.statusCode).toBe(503);
      expect(answer.headers["retry-after"]).toBe("5");
      expect(answer.json().code).toBe("ledger_unavailable");
      expect(answer.body).not.toContain("secret");
    },
  );
});

describe("the documentation", () => {
  it("is where / leads to", async () => {
    const answer = await get("/");
    expect([answer.statusCode, answer.headers.location]).toEqual([302, "/docs"]);
  });

  it("needs nothing from elsewhere", async () => {
    const page = await get("/docs");
    expect(page.statusCode).toBe(200);
    const assets = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url ?? "");
    expect(assets.length).toBeGreaterThan(3);
    expect(page.body).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    // The policy allows no inline script, so there must be none.
    expect(page.body).not.toMatch(/<script(?![^>]*\bsrc=)[^>]*>\s*\S/);
    for (const asset of assets) {
      const url = new URL(asset, "http://x/docs").pathname;
      expect([url, (await get(url)).statusCode]).toEqual([url, 200]);
    }
    expect(page.headers["content-security-policy"]).toContain("default-src 'self'");
    expect(page.headers["content-security-policy"]).not.toMatch(/https?:/);
  });

  it("serves the OpenAPI document", async () => {
    expect((await get("/docs/json")).json()).toMatchObject({ openapi: "3.1.0" });
  });
});

it.each(["/jobs", "/jobs/nothing", "/nowhere", "/health/live"])(
  "%s is neither cached, framed nor guessed at",
  async (url) => {
    expect((await get(url)).headers).toMatchObject({
      "cache-control": "no-store",
      "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    });
  },
);
