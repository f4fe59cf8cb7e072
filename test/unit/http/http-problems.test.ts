import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { DomainError, type ErrorCode } from "../../../src/domain/errors.ts";
import { door, doorForAll, JOB } from "./http-fakes.ts";

doorForAll();
const show = () => door.app.inject({ method: "GET", url: `/jobs/${JOB.id}` });
const send = (payload: string | Buffer, type = "application/json") =>
  door.app.inject({ method: "POST", url: "/jobs", headers: { "content-type": type }, payload });

const STATUSES: Record<ErrorCode, number> = {
  invalid_input: 422,
  not_found: 404,
  conflict: 409,
  state_conflict: 409,
  idempotency_conflict: 409,
  precondition_failed: 412,
  unauthenticated: 401,
  forbidden: 403,
  payload_too_large: 413,
  not_available: 501,
  lease_lost: 503,
  stopped: 503,
  config_invalid: 500,
  store_throttled: 503,
  store_unavailable: 503,
  store_denied: 422,
  store_credentials: 422,
  store_refused: 422,
  bucket_missing: 422,
  database_unavailable: 503,
  database_refused: 422,
  engine_unavailable: 503,
  engine_refused: 422,
  ledger_unavailable: 503,
  ledger_lost: 503,
  manifest_invalid: 422,
  internal: 500,
};

describe("an error of the domain", () => {
  it.each(Object.entries(STATUSES))("%s is answered with %i", async (code, status) => {
    door.jobs.error = new DomainError(code as ErrorCode, "Because of the moon.");
    const answer = await show();
    expect(answer.statusCode).toBe(status);
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    expect(answer.headers["retry-after"]).toBe(status === 503 ? "5" : undefined);
    const problem = answer.json();
    const shown = status === 500 ? "internal" : code;
    expect(problem).toMatchObject({
      type: `urn:problem-type:tranship:${shown}`,
      status,
      code: shown,
      instance: `/jobs/${JOB.id}`,
      requestId: answer.headers["x-request-id"],
    });
    expect(problem.title).toEqual(expect.any(String));
    expect(problem.detail.includes("moon")).toBe(status !== 500);
  });

  it("comes with every fault", async () => {
    const faults = [
      { pointer: "/source/bucket", message: "is required" },
      { pointer: "/limits/concurrency", message: "must be <= 4096" },
    ];
    door.jobs.error = new DomainError("invalid_input", "The job is not valid.", { faults });
    const answer = await send("{}");
    expect(answer.statusCode).toBe(422);
    expect(answer.json().faults).toEqual(faults);
  });

  it("comes with the job's state when that is in the way", async () => {
    door.jobs.error = new DomainError("state_conflict", "It is done.", {
      details: { state: "completed", secret: 1 },
    });
    const answer = await door.app.inject({ method: "POST", url: `/jobs/${JOB.id}/pause` });
    expect(answer.statusCode).toBe(409);
    expect(answer.json()).toMatchObject({ code: "state_conflict", state: "completed" });
    expect(answer.body).not.toContain("secret");
  });
});

describe("anything else", () => {
  const odd = Object.assign(new Error("SELECT * FROM moon"), { code: "ER_ODD", statusCode: 418 });
  it.each([
    ["an Error", odd],
    ["a string", "SELECT * FROM moon"],
    ["undefined", undefined],
  ])("%s is an anonymous 500", async (_, error) => {
    const original = door.jobs.get;
    door.jobs.get = () => Promise.reject(error);
    const answer = await show();
    door.jobs.get = original;
    expect(answer.statusCode).toBe(500);
    expect(answer.json().code).toBe("internal");
    expect(answer.body).not.toMatch(/moon|ER_ODD|SELECT/);
  });

  it("is logged with its cause", async () => {
    door.jobs.error = new Error("outer", { cause: new Error("the inner reason") });
    const answer = await show();
    const line = door.lines.find(({ event }) => event === "http_request");
    expect(line).toMatchObject({ level: 50, code: "internal", requestId: answer.headers["x-request-id"] });
    expect(JSON.stringify(line)).toContain("the inner reason");
  });
});

describe("a body", () => {
  it.each([
    ['{"a": 1,}', "line 1, column 9"],
    ['{\n  "secret": "s3cr3t"\n  "b": 2\n}', "line 3, column 3"],
    ['{"a": s3cr3t}', "line 1, column 7"],
    ['{"a": [1, 2', "ends too early, at line 1, column 12"],
    ['{"s3cr3t', "line 1, column 2"],
    ['{"a": 1} s3cr3t', "line 1, column 10"],
  ])("that is not JSON (%j) is 400 and names the place only", async (payload, place) => {
    const answer = await send(payload);
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: "invalid_input", status: 400 });
    expect(answer.json().detail).toContain(place);
    expect(answer.body).not.toContain("s3cr3t");
    expect(door.jobs.calls).toEqual([]);
  });

  it("that is not UTF-8 is 400, for decoding it would change keys", async () => {
    const answer = await send(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]));
    expect(answer.statusCode).toBe(400);
    expect(answer.json().detail).toContain("UTF-8");
  });

  it("that would set a prototype is 400", async () => {
    const answer = await send('{"a": {"__proto__": {"b": 1}}}');
    expect(answer.statusCode).toBe(400);
    expect(answer.json().detail).toContain("__proto__");
  });

  it("of more than 1 MiB is 413, one of 1 MiB is not", async () => {
    const sized = (bytes: number) => `{"a":"${"x".repeat(bytes - 8)}"}`;
    expect((await send(sized(1_048_576))).statusCode).toBe(202);
    const answer = await send(sized(1_048_577));
    expect(answer.statusCode).toBe(413);
    expect(answer.json().code).toBe("payload_too_large");
  });

  it.each([
    "text/plain",
    "application/xml",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "json",
  ])("of type %s is 415", async (type) => {
    const answer = await send("{}", type);
    expect(answer.statusCode).toBe(415);
    expect(answer.json()).toMatchObject({ code: "unsupported_media_type" });
  });

  it("with a charset is taken", async () => {
    expect((await send("{}", "application/json; charset=utf-8")).statusCode).toBe(202);
  });
});

describe("a request that no route takes", () => {
  it.each(["/nowhere", "/jobs//", "/jobs/a/b/c", "/JOBS", "/health"])("GET %s is 404", async (url) => {
    const answer = await door.app.inject({ method: "GET", url });
    expect(answer.statusCode).toBe(404);
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    expect(answer.json()).toMatchObject({ code: "not_found", instance: url });
  });

  it.each([
    ["DELETE", "/jobs", "GET, HEAD, POST"],
    ["PUT", `/jobs/${JOB.id}`, "GET, HEAD, PATCH"],
    ["GET", `/jobs/${JOB.id}/pause`, "POST"],
    ["OPTIONS", "/jobs/preflight", "GET, HEAD, PATCH, POST"],
    ["POST", "/health/live?x=1", "GET, HEAD"],
  ] as const)("%s %s is 405 and says what is allowed", async (method, url, allow) => {
    const answer = await door.app.inject({ method, url });
    expect(answer.statusCode).toBe(405);
    expect(answer.headers.allow).toBe(allow);
    expect(answer.json().code).toBe("method_not_allowed");
  });

  it("with a broken escape in its path is 400", async () => {
    const answer = await door.app.inject({ method: "GET", url: "/jobs/%E0%A4%A" });
    expect(answer.statusCode).toBe(400);
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    expect(answer.headers["x-content-type-options"]).toBe("nosniff");
    expect(answer.json().code).toBe("invalid_input");
  });

  it.each([65, 101])("with an id of %i characters is refused as a problem", async (length) => {
    const answer = await door.app.inject({ method: "GET", url: `/jobs/${"a".repeat(length)}` });
    expect([400, 404, 414]).toContain(answer.statusCode);
    expect(answer.headers["content-type"]).toBe("application/problem+json");
  });
});

describe("what is not HTTP", () => {
  it.each([
    ["NONSENSE\r\n\r\n", "400"],
    [`GET / HTTP/1.1\r\nhost: x\r\nx: ${"y".repeat(20_000)}\r\n\r\n`, "431"],
  ])("is answered with a problem (%.10j)", async (sent, status) => {
    if (!door.app.server.listening) await door.app.listen({ host: "127.0.0.1", port: 0 });
    const { port } = door.app.server.address() as { port: number };
    const received = await new Promise<string>((resolve, reject) => {
      let text = "";
      const socket = connect(port, "127.0.0.1", () => socket.write(sent));
      socket.setEncoding("utf8");
      socket.on("data", (chunk) => {
        text += chunk;
      });
      socket.on("close", () => resolve(text));
      socket.on("error", reject);
    });
    expect(received).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    const problem = JSON.parse(received.slice(received.indexOf("\r\n\r\n") + 4));
    expect(problem).toMatchObject({ status: Number(status) });
  });
});
