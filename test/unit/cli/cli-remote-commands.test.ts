/** The commands that talk to a running service, with a made-up one. */

import { describe, expect, it } from "vitest";
import { summaryOf } from "../../../src/jobs/view/job-view.ts";
import { fetchWith, tranship, viewWith } from "../../support/worlds/cli-world.ts";

const readStdin = async () => Buffer.from('{"name":"a"}');
const problem = {
  title: "The input is not valid",
  status: 422,
  detail: "the job is not valid: /source: missing, and required",
  code: "invalid_input",
  faults: [{ pointer: "/source", message: "missing, and required" }],
};

describe("every request", () => {
  it.each([
    [["submit", "-"], "POST", "/jobs"],
    [["list", "--state", "running"], "GET", "/jobs?limit=100&state=running"],
    [["status", "a/../b"], "GET", "/jobs/a%2F..%2Fb"],
    [["watch", "01"], "GET", "/jobs/01"],
    [["pause", "01"], "POST", "/jobs/01/pause"],
    [["resume", "01"], "POST", "/jobs/01/resume"],
    [["cancel", "01"], "POST", "/jobs/01/cancel"],
    [["approve", "01"], "POST", "/jobs/01/approve"],
    [["retry", "01"], "POST", "/jobs/01/retry"],
  ])("%o is %s %s", async (args, method, path) => {
    const done = { ...viewWith({ state: "completed" }), items: [], next: null };
    const { fetch, sent } = fetchWith([200, done]);
    const told = await tranship(args, { fetch, readStdin });
    expect(told.code).toBe(0);
    expect(sent).toMatchObject([{ method, url: `http://127.0.0.1:8080${path}` }]);
  });

  it("goes where option or environment say, with their token", async () => {
    const { fetch, sent } = fetchWith([200, viewWith()]);
    const environment = { TRANSHIP_URL: "https://a.example/base/", TRANSHIP_TOKEN: "from the environment" };
    await tranship(["status", "1"], { fetch, environment });
    await tranship(["status", "1", "--url", "http://b:1", "--token", "given"], { fetch, environment });
    await tranship(["status", "1"], { fetch, environment: { TRANSHIP_URL: "", TRANSHIP_TOKEN: "" } });
    expect(sent.map(({ url, headers }) => [url, headers.get("authorization")])).toEqual([
      ["https://a.example/base/jobs/1", "Bearer from the environment"],
      ["http://b:1/jobs/1", "Bearer given"],
      ["http://127.0.0.1:8080/jobs/1", null],
    ]);
  });

  it.each([
    ["a refusal", [422, problem], 2, "tranship: the job is not valid\n  /source: missing, and required\n"],
    [
      "an unknown job",
      [404, { detail: "there is no job 1", code: "not_found" }],
      2,
      "tranship: there is no job 1\n",
    ],
    ["no right to", [403, { title: "Forbidden" }], 2, "tranship: Forbidden\n"],
    ["a failure", [500, { detail: "see the log", code: "internal" }], 1, "tranship: see the log\n"],
    ["somebody else's page", [404, "<html>"], 2, "tranship: the service answered 404\n"],
    ["a page that is no API", [200, "<html>"], 1, "tranship: the answer is not JSON; is this Tranship?\n"],
    [
      "a problem of another kind",
      [400, { faults: "many", detail: 7 }],
      2,
      "tranship: the service answered 400\n",
    ],
  ] as const)("tells of %s", async (_, answer, code, err) => {
    const told = await tranship(["submit", "-"], { fetch: fetchWith(answer).fetch, readStdin });
    expect(told).toEqual({ code, out: "", err });
  });

  it("is repeated while the service cannot answer", async () => {
    const away = new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") });
    const { fetch, sent } = fetchWith(away, [503, {}], [200, viewWith({ state: "queued" })]);
    const told = await tranship(["submit", "-"], { fetch, readStdin });
    expect(told).toMatchObject({ code: 0, out: "01job  queued  avatars\n" });
    const keys = new Set(sent.map(({ headers }) => headers.get("idempotency-key")));
    expect([sent.length, keys.size]).toEqual([3, 1]);
    expect([...keys][0]).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("is given up in the end", async () => {
    const away = new TypeError("fetch failed", {
      cause: Object.assign(new Error(""), { code: "ECONNREFUSED" }),
    });
    const { fetch, sent } = fetchWith(away);
    const told = await tranship(["list", "--json"], { fetch });
    expect(told.code).toBe(1);
    expect(told.err).toBe("tranship: no service answers at http://127.0.0.1:8080: ECONNREFUSED\n");
    expect(JSON.parse(told.out)).toMatchObject({ error: { code: "unreachable" } });
    expect(sent).toHaveLength(4);
  });

  it.each([500, 400, 409, 422])("is not repeated after %d", async (status) => {
    const { fetch, sent } = fetchWith([status, {}]);
    await tranship(["pause", "1"], { fetch });
    expect(sent).toHaveLength(1);
  });
});

describe("submit", () => {
  it("sends the file as it is, with the key that was given", async () => {
    const { fetch, sent } = fetchWith([202, viewWith({ state: "queued" })]);
    const told = await tranship(["submit", "--idempotency-key", "k 1", "--json", "-"], { fetch, readStdin });
    expect(sent[0]).toMatchObject({ body: '{"name":"a"}' });
    expect(sent[0]?.headers.get("idempotency-key")).toBe("k 1");
    expect(sent[0]?.headers.get("content-type")).toBe("application/json");
    expect(JSON.parse(told.out)).toEqual(viewWith({ state: "queued" }));
  });

  it("tells programs of every fault", async () => {
    const told = await tranship(["submit", "-", "--json"], {
      fetch: fetchWith([422, problem]).fetch,
      readStdin,
    });
    expect(JSON.parse(told.out)).toEqual({
      error: { code: "invalid_input", message: problem.detail, faults: problem.faults },
    });
  });
});

describe("list", () => {
  const page = (next: string | null, ...names: string[]) =>
    [200, { items: names.map((name) => viewWith({ id: `id-${name.trim()}`, name })), next }] as const;

  it("follows the pages and aligns", async () => {
    const { fetch, sent } = fetchWith(page("c/2", "one"), page(null, "two\n"));
    const told = await tranship(["list"], { fetch });
    expect(told.out).toBe(
      [
        "ID      STATE    DONE   MOVED   PLANNED  CREATED                   NAME",
        "id-one  running  50.0%  10,000  20,000   2026-10-01T12:00:00.000Z  one",
        "id-two  running  50.0%  10,000  20,000   2026-10-01T12:00:00.000Z  two\ufffd",
        "",
      ].join("\n"),
    );
    expect(sent[1]?.url).toContain("cursor=c%2F2");
    expect(
      JSON.parse((await tranship(["list", "--json"], { fetch: fetchWith(page(null, "x")).fetch })).out),
    ).toEqual([viewWith({ id: "id-x", name: "x" })]);
  });

  it("says so when there are none", async () => {
    expect((await tranship(["list"], { fetch: fetchWith(page(null)).fetch })).out).toBe("no jobs\n");
  });
});

describe("status", () => {
  it.each([
    ["running", 0],
    ["paused", 0],
    ["completed", 0],
    ["completed_with_exceptions", 3],
    ["failed", 1],
  ] as const)("of a job that is %s ends with %d", async (state, code) => {
    const { fetch } = fetchWith([200, viewWith({ state })]);
    const told = await tranship(["status", "01job"], { fetch });
    expect(told.code).toBe(code);
    expect(told.out).toContain("avatars  01job\n  bucket-a/image/ to bucket-b/avatar/\n");
    expect(told.out).toContain(state.replaceAll("_", " "));
  });
});

describe("watch", () => {
  it("looks every second until the end, whatever happens to the service meanwhile", async () => {
    const ended = viewWith({ state: "completed_with_exceptions" });
    const away = new TypeError("fetch failed");
    const outage = [away, away, away, away, away, away];
    const { fetch, sent } = fetchWith(
      [200, viewWith()],
      ...outage,
      [500, {}],
      [200, viewWith()],
      [200, ended],
    );
    const told = await tranship(["watch", "01job", "--json"], { fetch });
    expect(told.code).toBe(3);
    expect(JSON.parse(told.out)).toEqual(summaryOf(ended));
    expect(sent).toHaveLength(10);
  });

  it("gives up on a service that stays away, and at once on one that was never there", async () => {
    const gone = fetchWith([200, viewWith()], new TypeError("fetch failed"));
    expect(await tranship(["watch", "1"], { fetch: gone.fetch })).toMatchObject({ code: 1 });
    expect(gone.sent.length).toBeGreaterThan(100);
    const never = fetchWith(new TypeError("fetch failed"));
    expect(await tranship(["watch", "1"], { fetch: never.fetch })).toMatchObject({ code: 1 });
    expect(never.sent).toHaveLength(4);
  });

  it("ends with 1 and the reason when the job is paused by itself, and watches on when an operator paused it", async () => {
    const byOperator = viewWith({ state: "paused", reason: null });
    const byItself = viewWith({ state: "paused", reason: "the bucket is gone." });
    const { fetch, sent } = fetchWith([200, byOperator], [200, byItself]);
    const told = await tranship(["watch", "1"], { fetch });
    expect(told).toMatchObject({ code: 1 });
    expect(told.err).toContain("the job is paused");
    expect(told.out).toContain("the bucket is gone.");
    expect(sent).toHaveLength(2);
  });

  it("gives up when the job is gone", async () => {
    const { fetch } = fetchWith([200, viewWith()], [404, { detail: "there is no such job" }]);
    expect(await tranship(["watch", "1"], { fetch })).toMatchObject({ code: 2 });
  });

  it("ends with 1 when it is stopped, and leaves the job alone", async () => {
    const { fetch, sent } = fetchWith([200, viewWith()]);
    const told = await tranship(["watch", "1"], { fetch, stopSignal: () => AbortSignal.abort() });
    expect(told.code).toBe(1);
    expect(told.err).toContain("the job goes on");
    expect(sent).toHaveLength(1);
  });
});
