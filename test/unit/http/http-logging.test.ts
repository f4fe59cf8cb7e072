import { describe, expect, it } from "vitest";
import { DomainError } from "../../../src/domain/errors.ts";
import { loggedUrl, requestLogger } from "../../../src/http/request-logging.ts";
import { door, doorForAll, JOB } from "./http-fakes.ts";

const SECRET = "s3cr3t-0123456789-abc";

doorForAll([{ name: "ci", secret: SECRET, scopes: ["read", "operate"] }]);
const get = (url: string, headers: Record<string, string> = {}) =>
  door.app.inject({ method: "GET", url, headers: { authorization: `Bearer ${SECRET}`, ...headers } });
const outcomes = () => door.lines.filter(({ event }) => event === "http_request");

describe("a request", () => {
  it("is one line with its id, caller, outcome and time", async () => {
    const answer = await get("/jobs?state=paused");
    expect(door.lines).toHaveLength(1);
    expect(door.lines[0]).toMatchObject({
      level: 30,
      event: "http_request",
      requestId: answer.headers["x-request-id"],
      method: "GET",
      url: "/jobs?state=paused",
      status: 200,
      actor: "ci",
    });
    expect(door.lines[0]?.ms).toEqual(expect.any(Number));
  });

  it("that was refused is a warning with its code", async () => {
    await get("/jobs?limit=0");
    expect(outcomes()).toMatchObject([{ level: 40, status: 400, code: "invalid_input" }]);
    expect(outcomes()[0]).not.toHaveProperty("err");
  });

  it("that failed is an error with its cause", async () => {
    const cause = new Error("connection lost");
    door.jobs.error = new DomainError("ledger_unavailable", "The ledger does not answer.", { cause });
    await get("/jobs");
    expect(outcomes()).toMatchObject([{ level: 50, status: 503, code: "ledger_unavailable" }]);
    expect(JSON.stringify(outcomes()[0]?.err)).toContain("connection lost");
  });

  it("of a probe is only for those who debug, unless it fails", async () => {
    await get("/health/live");
    expect(outcomes()).toMatchObject([{ level: 20 }]);
    door.jobs.error = new Error("gone");
    await get("/health/ready");
    expect(outcomes()[1]).toMatchObject({ level: 50, code: "ledger_unavailable" });
  });

  it("whose path cannot be decoded is logged too", async () => {
    await get("/jobs/%E0%A4%A");
    expect(outcomes()).toMatchObject([{ level: 40, status: 400, url: "/jobs/%E0%A4%A" }]);
  });
});

describe("the request id", () => {
  it("is the caller's own where it is fit for a log", async () => {
    const answer = await get("/nowhere", { "x-request-id": "trace-1.a:b" });
    expect(answer.headers["x-request-id"]).toBe("trace-1.a:b");
    expect(answer.json().requestId).toBe("trace-1.a:b");
  });

  it.each(["a b", "x".repeat(65), 'a"b', "é"])("is a new one instead of %.10j", async (given) => {
    expect((await get("/jobs", { "x-request-id": given })).headers["x-request-id"]).toMatch(
      /^[0-9a-f-]{36}$/,
    );
  });
});

describe("secrets", () => {
  it("never reach the log, whatever happens to the request", async () => {
    await get("/jobs");
    await get("/nowhere");
    await get(`/jobs?token=${SECRET}&limit=5`);
    await get(`/jobs?${SECRET}`);
    await door.app.inject({ method: "GET", url: "/jobs", headers: { authorization: `Bearer ${SECRET}x` } });
    await door.app.inject({
      method: "POST",
      url: "/jobs",
      headers: { authorization: `Bearer ${SECRET}`, "content-type": "application/json" },
      payload: `{"password": "${SECRET}`,
    });
    door.jobs.error = new Error("unexpected");
    await get(`/jobs/${JOB.id}`);
    expect(outcomes()).toHaveLength(7);
    expect(JSON.stringify(door.lines)).not.toContain(SECRET);
  });

  it("stay out even when a request's headers are logged", async () => {
    const { default: pino } = await import("pino");
    const written: string[] = [];
    const logger = requestLogger(pino({}, { write: (line: string) => void written.push(line) }));
    const headers = { authorization: `Bearer ${SECRET}`, cookie: SECRET, accept: "*/*" };
    logger.info({ headers, req: { headers }, request: { headers } });
    logger.child({ requestId: "1" }).warn(headers);
    expect(written.join("")).not.toContain(`Bearer ${SECRET}`);
    expect(JSON.parse(written[0] ?? "")).toMatchObject({
      headers: { authorization: "[redacted]", cookie: "[redacted]", accept: "*/*" },
      req: { headers: { authorization: "[redacted]" } },
    });
  });

  it.each([
    ["/jobs", "/jobs"],
    ["/jobs?token=x", "/jobs"],
    ["/jobs?limit=5&token=x&state=paused", "/jobs?limit=5&state=paused"],
    ["/jobs?x#y", "/jobs"],
    ["/jobs#limit=1", "/jobs"],
  ])("are dropped from %s", (url, logged) => {
    expect(loggedUrl(url)).toBe(logged);
  });
});
