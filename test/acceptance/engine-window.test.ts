/** The executable with the engine `lambda`: no copy begins when none may, and the rest is made later, none of it twice. */

import { describe, expect, it, onTestFinished } from "vitest";
import { type LambdaService, openLambdaService } from "../support/aws/lambda-service.ts";
import { hasEnded, type Service } from "../support/service.ts";
import { pause } from "../support/worlds/sandbox-world.ts";

const OBJECTS = 1_100;
/** With eight functions at once the copies take longer than any test waits before it ends them. */
const COPY_MS = 220;
/** In which a service starts and a first copy is made, on a busy machine. */
const LEAD_MS = 18_000;
const SLOW = { objects: OBJECTS, copyMs: COPY_MS, variations: { concurrency: 8 } };
/** From a request to its effect at S3 Batch Operations. */
const STOPPED_WITHIN_MS = 5_000;
/** A request that was sent before an end may arrive this much later. */
const ON_THE_WAY_MS = 50;

const MINUTE = 60_000;
const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const clockTime = (at: number) => new Date(at).toISOString().slice(11, 16);
const windowsUntil = (end: number) => ({
  timezone: "UTC",
  open: [{ days: DAYS, from: clockTime(end - 120 * MINUTE), to: clockTime(end) }],
  stages: ["copy"],
});

/** A world whose clock shows `leadMs` before a full minute now; gives that minute. */
async function openBefore(
  leadMs: number,
): Promise<{ readonly lambda: LambdaService; readonly edge: number }> {
  const edge = (Math.floor(Date.now() / MINUTE) + 1) * MINUTE + MINUTE;
  return { lambda: await open(edge - leadMs - Date.now()), edge };
}

async function open(aheadMs = 0, more: object = {}): Promise<LambdaService> {
  const lambda = await openLambdaService({ ...SLOW, aheadMs, ...more });
  onTestFinished(() => lambda.close());
  return lambda;
}

async function until(holds: () => boolean, mostMs = 20_000): Promise<void> {
  for (const end = Date.now() + mostMs; !holds(); await pause(10))
    if (Date.now() > end) throw new Error(`what the test waits for did not come: ${holds}`);
}

const untilCopies = ({ copies }: LambdaService, count: number) => until(() => copies.length >= count);
const sinceThen = ({ copies }: LambdaService, at: number) =>
  copies.filter((copy) => copy.at > at + ON_THE_WAY_MS).length;

async function patch(service: Service, id: string, change: Record<string, unknown>): Promise<void> {
  const { status, body } = await service.call("PATCH", `/jobs/${id}`, change);
  expect(status, JSON.stringify(body)).toBe(200);
}

async function expectExact(lambda: LambdaService, service: Service, id: string): Promise<void> {
  lambda.hurry();
  const done = await service.poll(id, hasEnded, 30_000);
  const { body } = await service.call("GET", `/jobs/${id}/exceptions?limit=3`);
  expect(body.items).toEqual([]);
  expect(done).toMatchObject({ state: "completed", objects: { planned: OBJECTS, moved: OBJECTS } });
  expect(lambda.faults()).toEqual([]);
}

describe.concurrent("a window that closes while a consignment is under way", () => {
  it("ends its copies; in the next window the rest is made, none twice", async () => {
    const { lambda, edge } = await openBefore(LEAD_MS);
    const service = await lambda.serve();
    const id = await lambda.submit(service, { windows: windowsUntil(edge) });
    await untilCopies(lambda, 1);
    const waiting = await service.poll(id, (job) => job.waiting?.reason === "window", 20_000);
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

  it("ends them also when the service was killed before; afterwards everything ends exact", async () => {
    const { lambda, edge } = await openBefore(LEAD_MS);
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
    await second.poll(id, (job) => job.waiting?.reason === "window", 20_000);
    expect(lambda.copies.length).toBe(before);
    await patch(second, id, { windows: windowsUntil(edge + 60 * MINUTE) });
    await expectExact(lambda, second, id);
  });
});

/** The job half-way, and a promise of when S3 Batch Operations was told to end it. */
async function halfWay(more: object = {}, job: Record<string, unknown> = {}) {
  const lambda = await open(0, more);
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

describe.concurrent("a consignment that is under way is stopped at S3 within 5 s", () => {
  it("by a pause; resumed, the job makes the rest", async () => {
    const { lambda, service, id } = await halfWay();
    expect(await service.call("POST", `/jobs/${id}/pause`)).toMatchObject({ status: 202 });
    await expectStopped(lambda);
    await service.poll(id, ({ state }) => state === "paused", 15_000);
    const before = lambda.copies.length;
    expect(before).toBeLessThan(OBJECTS);
    await pause(1_000);
    expect(lambda.copies.length).toBe(before);
    await service.call("POST", `/jobs/${id}/resume`);
    await expectExact(lambda, service, id);
  });

  it("by a cancel; what is copied stays, and nothing else changes", async () => {
    const { lambda, service, id } = await halfWay();
    await service.call("POST", `/jobs/${id}/cancel`);
    await expectStopped(lambda);
    const done = await service.poll(id, hasEnded, 15_000);
    expect(done.state).toBe("cancelled");
    const before = lambda.copies.length;
    await pause(1_000);
    expect(lambda.copies.length).toBe(before);
    expect(lambda.world.store.countObjects("bucket-a")).toBe(OBJECTS);
  });

  it("by a window that is shortened; lengthened again, the rest is made", async () => {
    const hour = Date.now() + 60 * MINUTE;
    const { lambda, service, id } = await halfWay({}, { windows: windowsUntil(hour) });
    await patch(service, id, { windows: windowsUntil(Date.now() - MINUTE) });
    await expectStopped(lambda);
    await service.poll(id, (job) => job.waiting?.reason === "window", 10_000);
    await patch(service, id, { windows: windowsUntil(hour) });
    await expectExact(lambda, service, id);
  });

  it("by a limit that is lowered; the rest is made within the new one", async () => {
    const { lambda, service, id } = await halfWay(
      {},
      { limits: { concurrency: 8, requestsPerSecond: 4_000 } },
    );
    await patch(service, id, { limits: { concurrency: 8, requestsPerSecond: 2_000 } });
    await expectStopped(lambda);
    await expectExact(lambda, service, id);
    const [before, after] = lambda.control.jobs.map(({ request }) => request.userArguments.leastMs);
    expect([before, after]).toEqual(["2", "4"]);
  });
});

describe.concurrent("a service that is killed before it has stopped a job", () => {
  it.each([
    ["pause", "pausing", "paused"],
    ["cancel", "cancelling", "cancelled"],
  ])("at S3, after a %s: the next one stops it", async (action, onTheWay, stopped) => {
    const { lambda, service: first, id } = await halfWay();
    lambda.control.breakNext("UpdateJobStatus", "hangs");
    await first.call("POST", `/jobs/${id}/${action}`);
    await until(() => lambda.control.requests.UpdateJobStatus === 1);
    await first.kill("SIGKILL");
    expect(lambda.control.jobs[0]?.status).toBe("Active");
    const second = await lambda.serve();
    expect((await second.call("GET", `/jobs/${id}`)).body.state).toBe(onTheWay);
    await until(() => lambda.control.requests.UpdateJobStatus === 2, STOPPED_WITHIN_MS);
    await second.poll(id, ({ state }) => state === stopped, 15_000);
    expect(lambda.control.jobs.map(({ status }) => status)).toEqual(["Cancelled"]);
    expect(lambda.copies.length).toBeLessThan(OBJECTS);
  });
});
