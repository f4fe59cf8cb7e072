/** The executable with the engine `lambda`: no copy begins when none may, and the rest is made later, none of it twice. */

import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { noteStalls, type Stalls } from "../support/arrivals.ts";
import { type LambdaService, openLambdaService } from "../support/aws/lambda-service.ts";
import { hasEnded, type Service } from "../support/service.ts";
import { pause } from "../support/worlds/sandbox-world.ts";

const OBJECTS = 1_000;
/** With eight functions at once the copies take longer than any test waits before it ends them. */
const COPY_MS = 220;
/** In which a service starts and a first copy is made, on a busy machine. */
const LEAD_MS = 18_000;
const SLOW = { objects: OBJECTS, copyMs: COPY_MS, variations: { concurrency: 8 } };
/** From a request to its effect at S3 Batch Operations. */
const STOPPED_WITHIN_MS = 5_000;
/** A request that was sent before an end may arrive this much later; more where this process was kept from running. */
const ON_THE_WAY_MS = 50;

const MINUTE = 60_000;
const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const clockTime = (at: number) => new Date(at).toISOString().slice(11, 16);
const windowsUntil = (end: number) => ({
  timezone: "UTC",
  open: [{ days: DAYS, from: clockTime(end - 120 * MINUTE), to: clockTime(end) }],
  stages: ["copy"],
});

/** A world whose clock shows {@link LEAD_MS} before a full minute now; gives that minute. */
async function openBefore(context: TestContext) {
  const edge = (Math.floor(Date.now() / MINUTE) + 2) * MINUTE;
  return { lambda: await open(context, edge - LEAD_MS - Date.now()), edge };
}

async function open({ onTestFinished }: TestContext, aheadMs = 0): Promise<LambdaService> {
  const lambda = await openLambdaService({ ...SLOW, aheadMs });
  onTestFinished(() => lambda.close());
  return lambda;
}

async function until(holds: () => boolean, mostMs = 40_000): Promise<void> {
  for (const end = Date.now() + mostMs; !holds(); await pause(10))
    if (Date.now() > end) throw new Error(`what the test waits for did not come: ${holds}`);
}

let stalls: Stalls;
beforeAll(() => {
  stalls = noteStalls();
});
afterAll(() => stalls.end());

const untilCopies = ({ copies }: LambdaService, count: number) => until(() => copies.length >= count);
const sinceThen = ({ copies }: LambdaService, at: number) =>
  copies.filter((copy) => copy.at > at + ON_THE_WAY_MS + stalls.longest()).length;

async function patch(service: Service, id: string, change: Record<string, unknown>): Promise<void> {
  const { status, body } = await service.call("PATCH", `/jobs/${id}`, change);
  expect(status, JSON.stringify(body)).toBe(200);
}

async function expectExact(lambda: LambdaService, service: Service, id: string): Promise<void> {
  lambda.hurry();
  const done = await service.poll(id, hasEnded, 60_000);
  const { body } = await service.call("GET", `/jobs/${id}/exceptions?limit=3`);
  expect(body.items).toEqual([]);
  expect(done).toMatchObject({ state: "completed", objects: { planned: OBJECTS, moved: OBJECTS } });
  expect(lambda.faults()).toEqual([]);
}

describe.concurrent("a window that closes while a consignment is under way", { timeout: 120_000 }, () => {
  it("ends its copies; in the next window the rest is made, none twice", async (context) => {
    const { lambda, edge } = await openBefore(context);
    const service = await lambda.serve();
    const id = await lambda.submit(service, { windows: windowsUntil(edge) });
    await untilCopies(lambda, 1);
    const waiting = await service.poll(id, (job) => job.waiting?.reason === "window", 40_000);
    expect(waiting.state).toBe("waiting");
    expect(lambda.now()).toBeGreaterThanOrEqual(edge);
    const before = lambda.copies.length;
    expect(before).toBeLessThan(OBJECTS);
    expect(sinceThen(lambda, edge)).toBe(0);
    // Complete where the functions have answered for all the rest before S3 was told.
    expect(lambda.control.jobs.map(({ status }) => status)).toEqual([
      expect.stringMatching(/^(Cancelled|Complete)$/),
    ]);
    await pause(1_000);
    expect(lambda.copies.length).toBe(before);
    await patch(service, id, { windows: windowsUntil(edge + 60 * MINUTE) });
    await expectExact(lambda, service, id);
    expect(lambda.control.jobs).toHaveLength(2);
  });

  it("ends them also when the service was killed before; afterwards everything ends exact", async (context) => {
    const { lambda, edge } = await openBefore(context);
    const first = await lambda.serve();
    const id = await lambda.submit(first, { windows: windowsUntil(edge) });
    await untilCopies(lambda, 1);
    await first.kill("SIGKILL");
    expect(lambda.now()).toBeLessThan(edge);
    await until(() => lambda.control.jobs.every(({ status }) => status === "Complete"));
    expect(lambda.now()).toBeGreaterThan(edge);
    expect(sinceThen(lambda, edge)).toBe(0);
    const before = lambda.copies.length;
    expect(before).toBeLessThan(OBJECTS);
    const second = await lambda.serve();
    await second.poll(id, (job) => job.waiting?.reason === "window", 40_000);
    expect(lambda.copies.length).toBe(before);
    await patch(second, id, { windows: windowsUntil(edge + 60 * MINUTE) });
    await expectExact(lambda, second, id);
  });
});

/** The job half-way, and a promise of when S3 Batch Operations was told to end it. */
async function halfWay(context: TestContext, job: Record<string, unknown> = {}) {
  const lambda = await open(context);
  const service = await lambda.serve();
  const id = await lambda.submit(service, job);
  await untilCopies(lambda, 50);
  return { lambda, service, id };
}

/** Until S3 was told to end the only job; fails when that takes longer than the promised time. */
async function expectStopped({ control }: LambdaService): Promise<void> {
  const since = Date.now();
  await until(() => control.requests.UpdateJobStatus > 0, STOPPED_WITHIN_MS);
  console.info(`S3 was told after ${Date.now() - since} ms`);
  await until(() => control.jobs[0]?.status === "Cancelled");
}

describe.concurrent("a consignment that is under way is stopped at S3 within 5 s", {
  timeout: 120_000,
}, () => {
  it("by a pause", async (context) => {
    const { lambda, service, id } = await halfWay(context);
    expect(await service.call("POST", `/jobs/${id}/pause`)).toMatchObject({ status: 202 });
    await expectStopped(lambda);
    await service.poll(id, ({ state }) => state === "paused", 40_000);
    const before = lambda.copies.length;
    expect(before).toBeLessThan(OBJECTS);
    await pause(1_000);
    expect(lambda.copies.length).toBe(before);
  });

  it("by a cancel; what is copied stays, and nothing else changes", async (context) => {
    const { lambda, service, id } = await halfWay(context);
    await service.call("POST", `/jobs/${id}/cancel`);
    await expectStopped(lambda);
    const done = await service.poll(id, hasEnded, 40_000);
    expect(done.state).toBe("cancelled");
    const before = lambda.copies.length;
    await pause(1_000);
    expect(lambda.copies.length).toBe(before);
    expect(lambda.world.store.countObjects("bucket-a")).toBe(OBJECTS);
  });

  it("by a window that is shortened; lengthened again, the rest is made", async (context) => {
    const hour = Date.now() + 60 * MINUTE;
    const { lambda, service, id } = await halfWay(context, { windows: windowsUntil(hour) });
    await patch(service, id, { windows: windowsUntil(Date.now() - MINUTE) });
    await expectStopped(lambda);
    await service.poll(id, (job) => job.waiting?.reason === "window", 40_000);
    await patch(service, id, { windows: windowsUntil(hour) });
    await expectExact(lambda, service, id);
  });

  it("by a limit that is lowered; the rest is sent with the new one", async (context) => {
    const { lambda, service, id } = await halfWay(context, {
      limits: { concurrency: 8, requestsPerSecond: 4_000 },
    });
    await patch(service, id, { limits: { concurrency: 8, requestsPerSecond: 2_000 } });
    await expectStopped(lambda);
    await until(() => lambda.control.jobs.length === 2);
    const [before, after] = lambda.control.jobs.map(({ request }) => request.userArguments.leastMs);
    expect([before, after]).toEqual(["2", "4"]);
  });
});

describe.concurrent("a service that is killed before it has stopped a job", { timeout: 120_000 }, () => {
  it.for([
    ["pause", "pausing", "paused"],
    ["cancel", "cancelling", "cancelled"],
  ] as const)("at S3, after a %s: the next one stops it", async ([action, onTheWay, stopped], context) => {
    const { lambda, service: first, id } = await halfWay(context);
    lambda.control.breakNext("UpdateJobStatus", "hangs");
    await first.call("POST", `/jobs/${id}/${action}`);
    await until(() => lambda.control.requests.UpdateJobStatus === 1);
    await first.kill("SIGKILL");
    expect(lambda.control.jobs[0]?.status).toBe("Active");
    const second = await lambda.serve();
    expect((await second.call("GET", `/jobs/${id}`)).body.state).toBe(onTheWay);
    await until(() => lambda.control.requests.UpdateJobStatus === 2, STOPPED_WITHIN_MS);
    await second.poll(id, ({ state }) => state === stopped, 40_000);
    expect(lambda.control.jobs.map(({ status }) => status)).toEqual(["Cancelled"]);
    expect(lambda.copies.length).toBeLessThan(OBJECTS);
  });
});
