/** Sources stay until their grace period is over and somebody has approved. */

import { beforeAll, describe, expect, it } from "vitest";
import { hasEnded, type Service } from "../support/service.ts";
import { type Pair, pause } from "../support/worlds/sandbox-world.ts";
import { imageKeys } from "../support/worlds/workbench.ts";
import { world, worldForAll } from "../support/worlds/world-for-all.ts";

const KEYS = imageKeys(20);
const TOKEN = { name: "ci", secret: "a-token-long-enough-to-be-one" };
/** May do everything but approve. */
const OPERATOR = { name: "operator", secret: "another-token-long-enough" };
const AUTHORIZED = { authorization: `Bearer ${TOKEN.secret}` };

let service: Service;

worldForAll();
beforeAll(async () => {
  service = await world.serve({
    tokens: [
      { ...TOKEN, scopes: ["read", "operate", "approve"] },
      { ...OPERATOR, scopes: ["read", "operate"] },
    ],
  });
});

const call = (method: string, path: string, body?: unknown) => service.call(method, path, body, AUTHORIZED);
const act = (id: string, action: string) => call("POST", `/jobs/${id}/${action}`);

async function submit(pair: Pair, more: Record<string, unknown>): Promise<string> {
  const { status, body } = await call("POST", "/jobs", { ...pair, limits: { concurrency: 4 }, ...more });
  expect(status, JSON.stringify(body)).toBe(202);
  return body.id;
}

/** Waits until job `id` is as `until` says; `GET` with the token. */
async function poll(id: string, until: (job: { state: string; waiting: unknown }) => boolean) {
  for (let tries = 0; tries < 300; tries += 1) {
    const { body } = await call("GET", `/jobs/${id}`);
    if (until(body)) return body;
    await pause(100);
  }
  throw new Error(`job ${id} did not get there within 30 s`);
}

describe.concurrent("sources", () => {
  it("stay until somebody approves, and are deleted then", async () => {
    const pair = world.buckets("approve", KEYS);
    const id = await submit(pair, { delete: { when: "approved", after: "0s" } });
    const waiting = await poll(id, (job) => job.state === "waiting");
    expect(waiting.waiting).toMatchObject({ reason: "approval", until: null });
    expect(waiting.objects).toMatchObject({ planned: 20, verified: 20, moved: 0 });
    await pause(1_500);
    expect(world.store.listKeys("approve-a")).toEqual(KEYS);
    expect(world.store.countObjects("approve-b")).toBe(20);
    expect(world.store.requests.count("DeleteObjects", "approve-a")).toBe(0);

    expect(await act(id, "approve")).toMatchObject({ status: 202, body: { approvedBy: "ci" } });
    expect(await act(id, "approve")).toMatchObject({ status: 202, body: { approvedBy: "ci" } });
    const done = await poll(id, hasEnded);
    expect(done).toMatchObject({ state: "completed", objects: { moved: 20 }, waiting: null });
    expect(world.store.listKeys("approve-a")).toEqual([]);
    const { body: audit } = await call("GET", `/jobs/${id}/audit`);
    const approvals = audit.items.filter((event: { action: string }) => event.action === "approve");
    expect(approvals).toMatchObject([{ actor: "ci" }]);
  });

  it("stay until the grace period is over, and the job says until when", async () => {
    const pair = world.buckets("grace", KEYS);
    const id = await submit(pair, { delete: { when: "verified", after: "3s" } });
    const begun = Date.now();
    const waiting = await poll(id, (job) => job.state === "waiting");
    expect(waiting.waiting).toMatchObject({ reason: "grace", until: expect.any(String) });
    const until = Date.parse(waiting.waiting.until);
    expect(until - Date.parse(waiting.waiting.since)).toBeLessThanOrEqual(3_500);
    expect(until).toBeGreaterThan(begun + 2_500);
    await pause(until - Date.now() - 300);
    expect(world.store.listKeys("grace-a")).toEqual(KEYS);
    expect(world.store.requests.count("DeleteObjects", "grace-a")).toBe(0);
    const done = await poll(id, hasEnded);
    expect(done).toMatchObject({ state: "completed", objects: { moved: 20 } });
    expect(Date.parse(done.finishedAt)).toBeGreaterThanOrEqual(until);
    expect(Date.parse(done.finishedAt)).toBeLessThan(until + 3_000);
    expect(world.store.listKeys("grace-a")).toEqual([]);
  });

  it("are not deleted by a token that may not approve", async () => {
    const id = await submit(world.buckets("unapproved", KEYS), { delete: { when: "approved", after: "0s" } });
    await poll(id, (job) => job.state === "waiting");
    const approve = (headers: Record<string, string>) =>
      service.call("POST", `/jobs/${id}/approve`, undefined, headers);
    expect(await approve({})).toMatchObject({ status: 401, body: { code: "unauthenticated" } });
    const wrong = { authorization: "Bearer a-token-that-nobody-has" };
    expect(await approve(wrong)).toMatchObject({ status: 401, body: { code: "unauthenticated" } });
    const operator = { authorization: `Bearer ${OPERATOR.secret}` };
    expect(await approve(operator)).toMatchObject({ status: 403, body: { code: "forbidden" } });
    await pause(1_200);
    expect(world.store.listKeys("unapproved-a")).toEqual(KEYS);
    expect((await call("GET", `/jobs/${id}`)).body).toMatchObject({ state: "waiting", approvedBy: null });
  });
});
