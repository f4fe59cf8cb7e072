/** A store that answers nothing: within 15 s the job says that it waits, why and since when, and so does the log, once. */

import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Waiting } from "../../../src/domain/job-state.ts";
import { Scheduler } from "../../../src/jobs/run/scheduler.ts";
import { HandClock } from "../../support/clocks/hand-clock.ts";
import { expectMoved } from "../../support/expect-moved.ts";
import { fillStore, imageKeys, openWorkbench, type Workbench } from "../../support/worlds/workbench.ts";

const KEYS = imageKeys(200);
const WITHIN_MS = 15_000;

/** A way to the store that can be shut: connections are then refused. */
class Way {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  target = 0;
  port = 0;

  constructor() {
    this.#server = createServer((from) => {
      const to = connect(this.target, "127.0.0.1");
      for (const [socket, other] of [
        [from, to],
        [to, from],
      ] as const) {
        this.#sockets.add(socket);
        socket.on("error", () => other.destroy());
        socket.on("close", () => other.destroy());
        socket.pipe(other);
      }
    });
  }

  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.port, "127.0.0.1", resolve));
    this.port = (this.#server.address() as { port: number }).port;
  }

  async shut(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

interface Line {
  readonly level: string;
  readonly event: string;
  readonly detail?: string;
}

let bench: Workbench;
let clock: HandClock;
let way: Way;
let lines: Line[];
let scheduler: Scheduler;

beforeEach(async () => {
  clock = new HandClock();
  way = new Way();
  await way.open();
  bench = await openWorkbench({ clock, connect: { endpoint: `http://127.0.0.1:${way.port}` } });
  way.target = Number(new URL(bench.store.url).port);
  fillStore(bench.store, "bucket-a", KEYS);
  bench.addRows(KEYS);
  lines = [];
  const note = (level: string) => (fields: object) => void lines.push({ ...(fields as Line), level });
  scheduler = new Scheduler(bench.parts, "logged", {
    info: note("info"),
    warn: note("warn"),
    error: note("error"),
  });
});
afterEach(async () => {
  await scheduler.close();
  await bench.close();
  await way.shut();
});

/** Starts the job and lets it come to its copies. */
async function begin(
  job: Record<string, unknown> = {},
): Promise<{ readonly id: string; readonly end: Promise<unknown> }> {
  const id = await bench.submit({ batchSize: 20, limits: { concurrency: 8 }, ...job });
  bench.store.faults.latencyMs = 5;
  const arrived = bench.store.faults.arrival({ operation: "CopyObject" }, 30);
  const end = scheduler.runNow(id);
  await arrived;
  return { id, end };
}

/** Pushes the clock on, a second at a time, until the job waits; gives the wait and how long it took to be shown. */
async function untilWaiting(id: string): Promise<{ readonly waiting: Waiting | null; readonly ms: number }> {
  const from = clock.now();
  for (;;) {
    const { waiting, state } = await bench.jobs.get(id);
    const ms = clock.now() - from;
    if (waiting !== null || ms > 2 * WITHIN_MS) {
      if (waiting !== null) expect(state).toBe("waiting");
      const since = waiting === null ? 0 : Date.parse(waiting.since as unknown as string);
      return {
        waiting: waiting === null ? null : { ...(waiting as unknown as Waiting), since: since - from },
        ms,
      };
    }
    clock.advance(1000);
    await sleep(60);
  }
}

const told = (event: string) => lines.filter((line) => line.event === event);

async function expectShownAndOver(id: string, end: Promise<unknown>, mend: () => unknown): Promise<void> {
  const { waiting, ms } = await untilWaiting(id);
  expect(waiting).toMatchObject({ reason: "throttled" });
  expect(waiting?.detail).toMatch(/the store has not answered/);
  expect(ms).toBeLessThanOrEqual(WITHIN_MS);
  expect(waiting?.since).toBeGreaterThan(-1000);
  expect(waiting?.since).toBeLessThan(3000);
  for (let second = 0; second < 50; second += 1) {
    clock.advance(1000);
    await sleep(10);
  }
  expect((await bench.jobs.get(id)).waiting).toMatchObject({ reason: "throttled" });
  expect(told("store_silent")).toMatchObject([
    { level: "warn", detail: expect.stringMatching(/not answered/) },
  ]);
  expect(told("store_answers")).toEqual([]);
  await mend();
  await expect.poll(() => told("store_answers"), { timeout: 15_000 }).toHaveLength(1);
  await end;
  expect(await bench.jobs.get(id)).toMatchObject({ state: "completed", objects: { moved: KEYS.length } });
  expect(told("store_silent")).toHaveLength(1);
  await expectMoved(bench, KEYS);
}

describe("a store that answers nothing is waited for, which is shown and logged", () => {
  it.each([
    ["takes requests and says nothing", { type: "hang" }],
    ["resets every connection", { type: "reset-before" }],
    ["answers everything with 500", { type: "internal-error" }],
  ] as const)(
    "when it %s",
    async (_, effect) => {
      const { id, end } = await begin();
      const fault = bench.store.faults.add({ effect });
      await expectShownAndOver(id, end, async () => {
        fault.remove();
        await way.shut();
        await way.open();
      });
    },
    30_000,
  );

  it("when it refuses connections", async () => {
    const { id, end } = await begin();
    await way.shut();
    await expectShownAndOver(id, end, () => way.open());
  }, 30_000);
});

it("one large copy that takes minutes is not a dead store", async () => {
  bench.store.putObject("bucket-a", "image/large.bin", Buffer.alloc(96 * 2 ** 20));
  const id = await bench.submit({ references: [], inventory: { from: "bucket" }, batchSize: 1000 });
  const hold = bench.store.faults.hold({ operation: "CopyObject", key: "avatar/large.bin" });
  const end = scheduler.runNow(id);
  await hold.arrival(1);
  await expect.poll(() => bench.store.countObjects("bucket-b")).toBe(KEYS.length);
  for (let second = 0; second < 40; second += 1) {
    clock.advance(1000);
    await sleep(20);
    expect((await bench.jobs.get(id)).waiting).toBeNull();
  }
  hold.release();
  await end;
  expect(told("store_silent")).toEqual([]);
  expect((await bench.jobs.get(id)).state).toBe("completed");
});

it("a database that answers no statement is waited for, which is shown and logged", async () => {
  const real = bench.parts.connections.reference;
  let isSilent = false;
  const waiting: (() => void)[] = [];
  Object.assign(bench.parts.connections, {
    reference: (...given: Parameters<typeof real>) => {
      const table = real(...given);
      const findRows = table.findRows.bind(table);
      const silenced: typeof findRows = (values, limiter = (send) => send()) =>
        findRows(values, (send) =>
          limiter(async () => {
            if (isSilent) await new Promise<void>((resolve) => waiting.push(resolve));
            return send();
          }),
        );
      return Object.assign(table, { findRows: silenced });
    },
  });
  const { id, end } = await begin({ inventory: { from: "bucket" } });
  isSilent = true;
  await expect.poll(() => waiting.length, { timeout: 10_000 }).toBeGreaterThan(0);
  const shown = await untilWaiting(id);
  isSilent = false;
  for (const answer of waiting) answer();
  expect(shown.waiting).toMatchObject({ reason: "database" });
  expect(shown.waiting?.detail).toMatch(/database "app" has not answered since/);
  // Statements of other batches are still answered for a moment, at a pace of sixteen seconds of the clock a second.
  expect(shown.ms - (shown.waiting?.since ?? 0)).toBeLessThanOrEqual(WITHIN_MS);
  expect(told("database_silent")).toHaveLength(1);
  expect(told("store_silent")).toEqual([]);
  await end;
  expect(told("database_silent")).toHaveLength(1);
  expect(told("database_answers")).toHaveLength(1);
  await expectMoved(bench, KEYS);
});
