import { connect } from "node:net";
import supertest from "supertest";
import { beforeAll, describe, expect, it } from "vitest";
import { door, doorForAll, JOB, REPORT } from "./http-fakes.ts";

doorForAll();
beforeAll(async () => {
  await door.app.listen({ host: "127.0.0.1", port: 0 });
});
const http = () => supertest(door.app.server);

describe("POST /jobs", () => {
  it("accepts a job and says where it is", async () => {
    const answer = await http().post("/jobs").send({ name: "avatars" });
    expect(answer.status).toBe(202);
    expect(answer.headers).toMatchObject({ location: `/jobs/${JOB.id}`, etag: '"7"' });
    expect(answer.headers["idempotent-replay"]).toBeUndefined();
    expect(answer.body).toEqual(JOB);
    expect(door.jobs.calls).toEqual([
      { method: "submit", given: [{ name: "avatars" }, { idempotencyKey: null, actor: "anonymous" }] },
    ]);
  });

  it("answers a repeated idempotency key with the first job", async () => {
    const once = () => http().post("/jobs").set("Idempotency-Key", "monday/1").send({});
    const first = await once();
    const again = await once();
    expect(first.headers["idempotent-replay"]).toBeUndefined();
    expect(again.status).toBe(202);
    expect(again.headers).toMatchObject({ "idempotent-replay": "true", location: `/jobs/${JOB.id}` });
    expect(again.body).toEqual(first.body);
    expect(door.jobs.calls[1]?.given[1]).toEqual({ idempotencyKey: "monday/1", actor: "anonymous" });
  });

  it("takes idempotency keys of 1 to 255 visible characters", async () => {
    const statusFor = async (key: string) =>
      (
        await door.app.inject({
          method: "POST",
          url: "/jobs",
          headers: { "idempotency-key": key },
          payload: {},
        })
      ).statusCode;
    expect(await statusFor("k".repeat(255))).toBe(202);
    for (const key of ["k".repeat(256), "two words", "é", ""]) expect(await statusFor(key)).toBe(400);
  });

  it("leaves the body as it was sent: nothing is coerced, trimmed or filled in", async () => {
    const job = { batchSize: "10", source: { prefix: " é\u0301 " }, unknown: [1, null] };
    await http().post("/jobs").send(job);
    expect(door.jobs.calls[0]?.given[0]).toEqual(job);
  });

  it.each(["[]", '"text"', "12", "null", ""])("refuses the body %j, which is no object", async (payload) => {
    const headers = { "content-type": "application/json" };
    const answer = await door.app.inject({ method: "POST", url: "/jobs", headers, payload });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: "invalid_input", faults: [{ pointer: "" }] });
    expect(door.jobs.calls).toEqual([]);
  });
});

describe("POST /jobs/preflight", () => {
  it("answers with the report and changes nothing unless a canary is asked for", async () => {
    const answer = await http().post("/jobs/preflight").send({ name: "x" });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual(REPORT);
    expect(door.jobs.calls[0]?.given).toMatchObject([{ name: "x" }, { canary: false }]);
    await http().post("/jobs/preflight?canary=true").send({});
    expect(door.jobs.calls[1]?.given[1]).toMatchObject({ canary: true });
  });

  it("refuses a canary that is neither true nor false", async () => {
    const answer = await http().post("/jobs/preflight?canary=1").send({});
    expect(answer.status).toBe(400);
    expect(answer.body.faults).toEqual([{ pointer: "/canary", message: "must be boolean" }]);
  });

  it("stops counting when the caller hangs up, and not before", async () => {
    let hungUp: Promise<void> = Promise.resolve();
    let begun: () => void = () => {};
    const running = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const preflight = door.jobs.preflight;
    door.jobs.preflight = async (_input, { signal }) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(signal?.aborted).toBe(false);
      hungUp = new Promise((resolve) => signal?.addEventListener("abort", () => resolve()));
      begun();
      await hungUp;
      return REPORT;
    };
    const { port } = door.app.server.address() as { port: number };
    const headers = "host: localhost\r\ncontent-type: application/json\r\ncontent-length: 2";
    const caller = connect(port, "127.0.0.1");
    caller.write(`POST /jobs/preflight HTTP/1.1\r\n${headers}\r\n\r\n{}`);
    await running;
    caller.destroy();
    await hungUp;
    door.jobs.preflight = preflight;
  });
});

describe("GET /jobs", () => {
  it("gives a page, a hundred at most unless asked", async () => {
    const answer = await http().get("/jobs");
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ items: [JOB], next: "after-one" });
    expect(door.jobs.calls[0]?.given).toEqual([{ state: null, limit: 100, cursor: null }]);
  });

  it("passes state, limit and cursor on", async () => {
    await http().get("/jobs?state=paused&limit=1000&cursor=after-one");
    expect(door.jobs.calls[0]?.given).toEqual([{ state: "paused", limit: 1000, cursor: "after-one" }]);
  });

  it.each(["limit=0", "limit=1001", "limit=ten", "limit=1.5", "limit=1e2", "limit=", "limit=1&limit=2"])(
    "refuses %s",
    async (query) => {
      const answer = await http().get(`/jobs?${query}`);
      expect(answer.status).toBe(400);
      expect(answer.body.code).toBe("invalid_input");
      expect(answer.body.faults).toMatchObject([{ pointer: "/limit" }]);
    },
  );

  it("names every fault of a query at once", async () => {
    const answer = await http().get("/jobs?state=sleeping&limit=0&offset=3");
    expect(answer.status).toBe(400);
    const pointers = answer.body.faults.map(({ pointer }: { pointer: string }) => pointer);
    expect(pointers.sort()).toEqual(["/limit", "/offset", "/state"]);
    expect(answer.body.detail).toContain("state must be one of queued, running");
    expect(answer.body.detail).toContain("offset is not known here");
    expect(door.jobs.calls).toEqual([]);
  });
});

describe("GET /jobs/:id", () => {
  it("shows the job with its ETag", async () => {
    const answer = await http().get(`/jobs/${JOB.id}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.etag).toBe('"7"');
    expect(answer.body).toEqual(JOB);
  });

  it.each(['"7"', 'W/"7"', '"6", "7"', "*"])("answers 304 to If-None-Match: %s", async (tag) => {
    const answer = await http().get(`/jobs/${JOB.id}`).set("If-None-Match", tag);
    expect(answer.status).toBe(304);
    expect(answer.headers.etag).toBe('"7"');
    expect(answer.text).toBe("");
  });

  it.each(['"6"', "7", '"77"'])("answers in full to If-None-Match: %s", async (tag) => {
    const answer = await http().get(`/jobs/${JOB.id}`).set("If-None-Match", tag);
    expect(answer.status).toBe(200);
  });

  it("answers HEAD without a body", async () => {
    const answer = await http().head(`/jobs/${JOB.id}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.etag).toBe('"7"');
  });

  it("answers 404 for a job there is not", async () => {
    const answer = await http().get("/jobs/nothing");
    expect(answer.status).toBe(404);
    expect(answer.body).toMatchObject({ code: "not_found", detail: "There is no job nothing." });
  });
});

describe("PATCH /jobs/:id", () => {
  const limits = { limits: { concurrency: 8 } };

  it("passes the change on and answers with the job as it is now", async () => {
    const answer = await http().patch(`/jobs/${JOB.id}`).send(limits);
    expect(answer.status).toBe(200);
    expect(answer.headers.etag).toBe('"7"');
    expect(answer.body).toEqual(JOB);
    const by = { ifVersions: null, actor: "anonymous" };
    expect(door.jobs.calls).toEqual([{ method: "amend", given: [JOB.id, limits, by] }]);
  });

  it.each([
    ['"7"', [7]],
    ['"6", "7"', [6, 7]],
    ["*", null],
    // Weak and foreign tags match nothing: what changes a job compares strongly.
    ['W/"7"', []],
    ["7", []],
    ['"abc"', []],
  ])("reads If-Match: %s", async (tag, ifVersions) => {
    await http().patch(`/jobs/${JOB.id}`).set("If-Match", tag).send(limits);
    expect(door.jobs.calls[0]?.given[2]).toEqual({ ifVersions, actor: "anonymous" });
  });

  it.each([[[1]], ["text"], [null]])("refuses a body that is no object: %j", async (body) => {
    const answer = await door.app.inject({
      method: "PATCH",
      url: `/jobs/${JOB.id}`,
      headers: { "content-type": "application/json" },
      payload: JSON.stringify(body),
    });
    expect(answer.statusCode).toBe(400);
    expect(door.jobs.calls).toEqual([]);
  });
});

describe("POST /jobs/:id/<action>", () => {
  it.each(["pause", "resume", "cancel", "retry", "approve"])(
    "%s answers 202 with the job",
    async (action) => {
      const answer = await http().post(`/jobs/${JOB.id}/${action}`);
      expect(answer.status).toBe(202);
      expect(answer.headers.etag).toBe('"7"');
      expect(answer.body).toEqual(JOB);
      expect(door.jobs.calls).toEqual([{ method: "act", given: [JOB.id, action, "anonymous", {}] }]);
    },
  );

  it("resume passes on that windows are to be ignored", async () => {
    expect((await http().post(`/jobs/${JOB.id}/resume`).send({ ignoreWindow: true })).status).toBe(202);
    expect(door.jobs.calls[0]?.given).toEqual([JOB.id, "resume", "anonymous", { ignoreWindow: true }]);
  });

  it.each([
    [{ ignoreWindow: "yes" }, "/ignoreWindow"],
    [{ ignoreWindows: true }, "/ignoreWindows"],
  ])("resume refuses %j, naming the place", async (body, pointer) => {
    const answer = await http().post(`/jobs/${JOB.id}/resume`).send(body);
    expect(answer.status).toBe(422);
    expect(answer.body.faults).toEqual([expect.objectContaining({ pointer })]);
    expect(door.jobs.calls).toEqual([]);
  });

  it("takes an empty JSON body, as some clients send one", async () => {
    const headers = { "content-type": "application/json" };
    const url = `/jobs/${JOB.id}/pause`;
    expect((await door.app.inject({ method: "POST", url, headers })).statusCode).toBe(202);
    expect((await http().post(url).send({})).status).toBe(202);
  });
});

describe("every job route", () => {
  const urls = ["", "/pause", "/batches", "/exceptions", "/audit", "/objects"].map((end) => `/jobs/j${end}`);
  it.each([...urls, "/jobs/preflight", "/jobs"])("%s refuses unknown query parameters", async (path) => {
    const method = path.endsWith("pause") || path.endsWith("preflight") ? "POST" : "GET";
    const answer = await door.app.inject({
      method,
      url: `${path}?verbose=1&key=k`,
      ...(path.endsWith("preflight") ? { payload: {} } : {}),
    });
    expect(answer.statusCode).toBe(400);
    expect(answer.json().faults).toContainEqual({ pointer: "/verbose", message: "is not known here" });
    expect(door.jobs.calls).toEqual([]);
  });
});
