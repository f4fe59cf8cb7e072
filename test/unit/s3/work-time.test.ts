/** How long a copy in parts was at work, on a clock moved by hand. */

import { beforeEach, describe, expect, it } from "vitest";
import { freePass, type WritePass } from "../../../src/ports/object-store.ts";
import { WorkTime } from "../../../src/stores/s3/copy/work-time.ts";

let now: number;
let time: WorkTime;
beforeEach(() => {
  now = 1000;
  time = new WorkTime(() => now);
});

/** An attempt that is under way until it is ended. */
function attempt() {
  let end = () => {};
  let fail = (_: Error) => {};
  const running = new Promise<void>((resolve, reject) => {
    end = resolve;
    fail = reject;
  });
  return { run: () => running, end, fail };
}

/** A pass that lets nothing through until it is opened. */
function closedPass() {
  const { run: opened, end: open } = attempt();
  const pass: WritePass = (_writes, run) => opened().then(run);
  return { pass, open };
}

describe("the time at work", () => {
  it("begins with the copy and counts what is under way", async () => {
    now += 5;
    const one = attempt();
    const done = time.watch(freePass)(1, one.run);
    now += 100;
    one.end();
    await done;
    now += 20;
    expect(time.ms).toBe(125);
  });

  it("leaves out the wait of all writes, and not that of a few", async () => {
    const gate = closedPass();
    const one = attempt();
    const two = attempt();
    const waiting = time.watch(gate.pass)(1, two.run);
    now += 10_000;
    const running = time.watch(freePass)(1, one.run);
    now += 30;
    one.end();
    await running;
    now += 20_000;
    gate.open();
    two.end();
    await waiting;
    now += 7;
    expect(time.ms).toBe(37);
  });

  it("goes on after an attempt that failed, and without the wait for the next one", async () => {
    const failing = attempt();
    const gate = closedPass();
    const again = time.watch(async (_writes, run) => {
      await run().catch(() => undefined);
      return gate.pass(1, run);
    });
    const done = again(1, failing.run);
    now += 3;
    failing.fail(new Error("throttled"));
    await failing.run().catch(() => undefined);
    await new Promise(setImmediate);
    now += 5000;
    gate.open();
    await expect(done).rejects.toThrow("throttled");
    now += 4;
    expect(time.ms).toBe(7);
  });
});
