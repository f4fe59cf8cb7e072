/** Jobs that cannot be, by their own text: each is refused with every fault in its place, and nothing is changed. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  JOB,
  UNREADABLE,
  WRONG_ENGINES,
  WRONG_NAMES,
  WRONG_NUMBERS,
  WRONG_PLACES,
  WRONG_SHAPE,
  WRONG_TIMES,
  WRONG_WINDOWS,
} from "../support/bad-jobs.ts";
import { expectNoJobs, expectRefusal, type Refused } from "../support/refusals.ts";
import type { Service } from "../support/service.ts";
import { openSandboxWorld, pathsOf, type SandboxWorld } from "../support/worlds/sandbox-world.ts";
import { imageKeys } from "../support/worlds/workbench.ts";

describe("a job that cannot be", () => {
  let world: SandboxWorld;
  let service: Service;
  let app: ReturnType<SandboxWorld["table"]>["app"];
  const keys = imageKeys(5);

  beforeAll(async () => {
    world = await openSandboxWorld();
    world.buckets("bad", keys);
    const table = world.table("app", keys);
    app = table.app;
    service = await world.serve({ databases: { app: table.url } });
  });

  afterAll(() => world.close());

  const submit = (refused: Refused) => service.call("POST", "/jobs", refused.body, refused.headers);

  for (const refused of UNREADABLE) {
    it(`is not even read when it is ${refused.title}`, async () => {
      expectRefusal(await submit(refused), { status: 400, ...refused });
    });
  }

  for (const refused of [
    ...WRONG_SHAPE,
    ...WRONG_NUMBERS,
    ...WRONG_TIMES,
    ...WRONG_NAMES,
    ...WRONG_PLACES,
    ...WRONG_ENGINES,
  ]) {
    it(`is refused for ${refused.title}`, async () => expectRefusal(await submit(refused), refused));
  }

  // Whether or not this version keeps to windows, what is wrong in them must be among the faults.
  for (const { title, windows, at } of WRONG_WINDOWS) {
    it(`is refused for ${title}`, async () => {
      const answer = await service.call("POST", "/jobs", { ...JOB, windows });
      expectRefusal(answer, { tells: /./ });
      expect(answer.body.faults.map((fault: { pointer: string }) => fault.pointer)).toContain(at);
    });
  }

  it("is refused when it is longer than 1 MiB", async () => {
    const answer = await service.call("POST", "/jobs", { ...JOB, name: "x".repeat(1_100_000) });
    expectRefusal(answer, { status: 413, code: "payload_too_large", tells: /1 MiB/ });
  });

  it("is refused when it is not sent as JSON", async () => {
    const answer = await service.call("POST", "/jobs", JOB, { "content-type": "text/plain" });
    expectRefusal(answer, { status: 415, code: "unsupported_media_type", tells: /application\/json/ });
  });

  it("has changed nothing in the end: no job, no request to the store, every row as it was", async () => {
    await expectNoJobs(service);
    expect(world.store.requests.total).toBe(0);
    expect(world.store.listKeys("bad-a")).toEqual(keys);
    expect(pathsOf(app)).toEqual(keys);
  });
});
