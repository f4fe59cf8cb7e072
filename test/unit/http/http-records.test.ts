import { describe, expect, it } from "vitest";
import { ADVICE } from "../../../src/domain/batch.ts";
import { AT_ISO, BATCH, door, doorForAll, JOB, OBJECT } from "./http-fakes.ts";

doorForAll();
const get = (path: string) => door.app.inject({ method: "GET", url: `/jobs/${JOB.id}/${path}` });

describe.each(["batches", "exceptions", "audit"])("GET /jobs/:id/%s", (name) => {
  it("begins at the beginning, a hundred at a time", async () => {
    expect((await get(name)).statusCode).toBe(200);
    expect(door.jobs.calls).toEqual([{ method: name, given: [JOB.id, { limit: 100, cursor: null }] }]);
  });

  it("goes on from a cursor", async () => {
    await get(`${name}?limit=1&cursor=abc`);
    expect(door.jobs.calls[0]?.given[1]).toEqual({ limit: 1, cursor: "abc" });
  });

  it.each(["limit=0", "limit=1001", "cursor=", `cursor=${"c".repeat(1025)}`])(
    "refuses %.20s",
    async (query) => {
      expect((await get(`${name}?${query}`)).statusCode).toBe(400);
    },
  );
});

describe("times", () => {
  it("are ISO 8601 in batches", async () => {
    const stage = { startedAt: AT_ISO, endedAt: null, attempts: 1 };
    expect((await get("batches")).json()).toEqual({
      items: [
        {
          ...BATCH,
          plannedAt: AT_ISO,
          copy: stage,
          verify: stage,
          update: stage,
          delete: { startedAt: null, endedAt: null, attempts: 0 },
        },
      ],
      next: null,
    });
  });

  it("are ISO 8601 in exceptions, which come with advice", async () => {
    expect((await get("exceptions")).json()).toMatchObject({
      items: [{ key: "image/b", at: AT_ISO, advice: "remove it" }],
      next: "after-nine",
    });
  });

  it("are ISO 8601 in the audit", async () => {
    expect((await get("audit")).json().items).toEqual([
      { id: 1, at: AT_ISO, actor: "ci", action: "submit", detail: "" },
    ]);
  });
});

describe("GET /jobs/:id/objects", () => {
  it("shows one object's outcome, with advice where it could not go through", async () => {
    const answer = await get("objects?key=image/a");
    const { outcome, ...history } = OBJECT;
    expect(answer.json()).toEqual({
      ...history,
      plannedAt: AT_ISO,
      copiedAt: AT_ISO,
      fate: { ...outcome, advice: ADVICE.target_exists },
    });
  });

  it.each(["a b+c%", "é\u0301/../x", "k=1&l=2#3", " ", "\u{1f600}"])(
    "takes the key %j exactly",
    async (key) => {
      await get(`objects?key=${encodeURIComponent(key)}`);
      expect(door.jobs.calls).toEqual([{ method: "object", given: [JOB.id, key] }]);
    },
  );

  it.each(["objects", "objects?key=", "objects?key=a&key=b"])("refuses %s", async (path) => {
    const answer = await get(path);
    expect(answer.statusCode).toBe(400);
    expect(answer.json().faults).toMatchObject([{ pointer: "/key" }]);
  });
});
