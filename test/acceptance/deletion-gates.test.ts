/** Sources stay until their grace period is over and somebody has approved; every refusal of every state. */

import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasEnded, type Service } from "../support/service.ts";
import { openSandboxWorld, type Pair, pause, type SandboxWorld } from "../support/worlds/sandbox-world.ts";
import { imageKeys } from "../support/worlds/workbench.ts";

const KEYS = imageKeys(20);
const TOKEN = { name: "ci", secret: "a-token-long-enough-to-be-one" };
/** May do everything but approve. */
const OPERATOR = { name: "operator", secret: "another-token-long-enough" };
const AUTHORIZED = { authorization: `Bearer ${TOKEN.secret}` };

let world: SandboxWorld;
let service: Service;

beforeAll(async () => {
  world = await openSandboxWorld();
  service = await world.serve({
    tokens: [
      { ...TOKEN, scopes: ["read", "operate", "approve"] },
      { ...OPERATOR, scopes: ["read", "operate"] },
    ],
  });
});

afterAll(() => world.close());

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

/** What each state refuses; whatever is not here is accepted. */
const REFUSED: Readonly<Record<string, readonly string[]>> = {
  queued: [],
  running: [],
  waiting: [],
  pausing: ["retry"],
  paused: [],
  cancelling: ["pause", "resume", "retry", "approve"],
  cancelled: ["pause", "resume", "retry", "approve"],
  completed: ["pause", "resume", "cancel"],
  completed_with_exceptions: ["pause", "resume", "cancel"],
  failed: ["pause"],
};

/** Brings a job into a state; gives its id. */
const REACH: Readonly<Record<string, () => Promise<string>>> = {
  async queued() {
    await held("queued");
    return submit({ ...pairOf("queued"), target: { bucket: "queued-b", prefix: "other/" } }, {});
  },
  running: () => held("running"),
  async waiting() {
    const id = await submit(world.buckets("waiting", KEYS), { delete: { when: "approved" } });
    await poll(id, (job) => job.state === "waiting");
    return id;
  },
  async pausing() {
    const id = await held("pausing");
    await act(id, "pause");
    return id;
  },
  async paused() {
    const id = await submit(world.buckets("paused", KEYS), { delete: { when: "approved" } });
    await act(id, "pause");
    await poll(id, (job) => job.state === "paused");
    return id;
  },
  async cancelling() {
    const id = await held("cancelling");
    await act(id, "cancel");
    return id;
  },
  async cancelled() {
    const id = await submit(world.buckets("cancelled", KEYS), { delete: { when: "approved" } });
    await act(id, "cancel");
    await poll(id, hasEnded);
    return id;
  },
  completed: () => ended("completed", {}),
  completed_with_exceptions: () => {
    const pair = world.buckets("odd", KEYS);
    world.store.putObject("odd-b", "avatar/000003.png", "somebody else's");
    return ended("odd", {}, pair);
  },
  async failed() {
    const id = await submit(world.buckets("failed", KEYS), { delete: { when: "approved" } });
    await act(id, "pause");
    await poll(id, (job) => job.state === "paused");
    // Only an error of the service's own fails a job, and none is to be had from outside.
    const ledger = new Sqlite(join(world.directory, "ledger.db"), { timeout: 5_000 });
    ledger.prepare("UPDATE tranship_jobs SET state = 'failed' WHERE id = ?").run(id);
    ledger.close();
    return id;
  },
};

const pairOf = (name: string): Pair => ({
  source: { bucket: `${name}-a`, prefix: "image/" },
  target: { bucket: `${name}-b`, prefix: "avatar/" },
});

/** A job whose copies hang until the end. */
async function held(name: string): Promise<string> {
  const hold = world.store.faults.hold({ operation: "CopyObject", bucket: `${name}-b` });
  const id = await submit(world.buckets(name, KEYS), {});
  await hold.arrival(1);
  return id;
}

async function ended(name: string, more: Record<string, unknown>, pair?: Pair): Promise<string> {
  const id = await submit(pair ?? world.buckets(name, KEYS), { delete: { when: "never" }, ...more });
  await poll(id, hasEnded);
  return id;
}

describe.concurrent("an action that the state does not allow", () => {
  for (const [state, refused] of Object.entries(REFUSED)) {
    it(`is refused with 409 and the state while a job is ${state}, and changes nothing`, async () => {
      const id = (await REACH[state]?.()) ?? "";
      const before = (await call("GET", `/jobs/${id}`)).body;
      expect(before.state).toBe(state);
      for (const action of refused) {
        const { status, headers, body } = await act(id, action);
        expect({ action, status }).toEqual({ action, status: 409 });
        expect(headers.get("content-type")).toBe("application/problem+json");
        expect(body).toMatchObject({ code: "state_conflict", state });
        expect(body.detail).toContain(action);
      }
      const { body: after } = await call("GET", `/jobs/${id}`);
      expect(after.state).toBe(state);
      const { body: audit } = await call("GET", `/jobs/${id}/audit`);
      const setUp = state === "failed" ? ["pause"] : [];
      const done = audit.items.map(({ action }: { action: string }) => action);
      expect(done.filter((action: string) => refused.includes(action))).toEqual(setUp);
    });
  }
});
