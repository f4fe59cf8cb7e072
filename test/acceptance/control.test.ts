/** Operators hold, release and end a running job; what the store and the rows show must agree each time. */

import { beforeAll, describe, expect, it } from "vitest";
import { hasEnded, type Service } from "../support/service.ts";
import {
  holdsBodyOf,
  movedKey,
  type Pair,
  pathsOf,
  pause,
  type SandboxWorld,
} from "../support/worlds/sandbox-world.ts";
import { imageKeys } from "../support/worlds/workbench.ts";
import { world, worldForAll } from "../support/worlds/world-for-all.ts";

const OBJECTS = 200;
const CONCURRENCY = 4;

let service: Service;
const tables: Record<string, ReturnType<SandboxWorld["table"]>> = {};

worldForAll();
beforeAll(async () => {
  const names = ["hold", "cancel"];
  for (const name of names) tables[name] = world.table(name, imageKeys(OBJECTS));
  const databases = Object.fromEntries(names.map((name) => [name, tables[name]?.url]));
  service = await world.serve({ databases });
});

const rowsOf = (name: string) => tables[name]?.app ?? expect.fail(`no table ${name}`);
const act = (id: string, action: string) => service.call("POST", `/jobs/${id}/${action}`);
/** Without those by which a job finds out whether the store keeps to conditions. */
const copiesTo = ({ target: { bucket } }: Pair) =>
  world.store.requests.count("CopyObject", bucket) -
  world.store.requests.errors("PreconditionFailed", bucket);

async function submit(pair: Pair, more: Record<string, unknown> = {}): Promise<string> {
  const { status, body } = await service.call("POST", "/jobs", {
    ...pair,
    batchSize: 50,
    limits: { concurrency: CONCURRENCY },
    delete: { when: "verified", after: "0s" },
    ...more,
  });
  expect(status, JSON.stringify(body)).toBe(202);
  return body.id;
}

/** A job with its own buckets and table, whose copies take `delay` ms each. */
async function slowJob(name: string, delay: number): Promise<{ readonly id: string; readonly pair: Pair }> {
  const pair = world.buckets(name, imageKeys(OBJECTS));
  world.store.faults.add({
    operation: "CopyObject",
    bucket: pair.target.bucket,
    effect: { type: "latency", delay },
  });
  const references = [{ database: name, table: "images", key: "id", column: "path", set: { legacy: 0 } }];
  return { id: await submit(pair, { references }), pair };
}

async function untilCopies(pair: Pair, nth: number): Promise<void> {
  const missing = nth - copiesTo(pair);
  const match = { operation: "CopyObject", bucket: pair.target.bucket } as const;
  if (missing > 0) await world.store.faults.arrival(match, missing);
}

/** Each object is wholly at the source with its row old, or at the target with its row new, or at both. */
function expectConsistent(pair: Pair, name: string): { readonly moved: number; readonly left: number } {
  const source = new Set(world.store.listKeys(pair.source.bucket));
  const target = new Set(world.store.listKeys(pair.target.bucket));
  const paths = pathsOf(rowsOf(name));
  for (const [i, key] of imageKeys(OBJECTS).entries()) {
    const to = movedKey(key);
    if (source.has(key)) expect(holdsBodyOf(world.store, pair.source.bucket, key, key)).toBe(true);
    else expect(paths[i], `${key} is gone and its row must be new`).toBe(to);
    if (target.has(to)) expect(holdsBodyOf(world.store, pair.target.bucket, to, key)).toBe(true);
    else expect(paths[i], `${to} is not there and its row must be old`).toBe(key);
    expect([key, to]).toContain(paths[i]);
  }
  return { moved: OBJECTS - source.size, left: source.size };
}

describe.concurrent("an operator", () => {
  it("pauses a job within a second, and nothing is repeated when it is resumed", async () => {
    const { id, pair } = await slowJob("hold", 40);
    await untilCopies(pair, 40);
    expect(await act(id, "pause")).toMatchObject({ status: 202 });
    await pause(1_000);
    const copies = copiesTo(pair);
    expect(copies).toBeLessThan(OBJECTS);
    const paused = await service.poll(id, (job) => job.state === "paused", 5_000);
    expect(paused.finishedAt).toBeNull();
    await pause(1_500);
    expect(copiesTo(pair)).toBe(copies);
    expect(world.store.countObjects(pair.target.bucket)).toBe(copies);
    expect(await act(id, "pause")).toMatchObject({ status: 202, body: { state: "paused" } });

    expect(await act(id, "resume")).toMatchObject({ status: 202 });
    expect(await act(id, "resume")).toMatchObject({ status: 202 });
    const done = await service.poll(id, hasEnded);
    expect(done).toMatchObject({ state: "completed", objects: { planned: OBJECTS, moved: OBJECTS } });
    expect(copiesTo(pair)).toBe(OBJECTS);
    expect(expectConsistent(pair, "hold")).toEqual({ moved: OBJECTS, left: 0 });

    const { body: audit } = await service.call("GET", `/jobs/${id}/audit`);
    const told = audit.items.map((event: { action: string; actor: string }) => [event.action, event.actor]);
    expect(told).toContainEqual(["pause", "anonymous"]);
    expect(told).toContainEqual(["resume", "anonymous"]);
    for (const { at } of audit.items) expect(new Date(at).toISOString()).toBe(at);
  });

  it("cancels a job midway: what was moved stays moved, the rest stays where it was", async () => {
    const { id, pair } = await slowJob("cancel", 20);
    await untilCopies(pair, 110);
    expect(await act(id, "cancel")).toMatchObject({ status: 202 });
    const done = await service.poll(id, hasEnded);
    const copies = copiesTo(pair);
    expect(done.state).toBe("cancelled");
    expect(done.finishedAt).not.toBeNull();
    const { moved, left } = expectConsistent(pair, "cancel");
    expect(left).toBeGreaterThan(0);
    expect(done.objects).toMatchObject({ moved, exceptions: 0 });
    expect(done.objects.planned - done.objects.moved - done.objects.skipped).toBe(left);
    await pause(1_200);
    expect(copiesTo(pair)).toBe(copies);
    expect(world.store.countObjects(pair.source.bucket)).toBe(left);
    expect(await act(id, "cancel")).toMatchObject({ status: 202, body: { state: "cancelled" } });
    for (const action of ["pause", "resume", "retry", "approve"]) {
      expect(await act(id, action)).toMatchObject({ status: 409, body: { state: "cancelled" } });
    }
  });
});
