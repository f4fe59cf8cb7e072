/** A database's queue: one statement at a time, a pause as long as itself after each, and no waiting for one that is stuck. */
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { StatementQueue } from "../../../src/stores/sql/mariadb/statement-queue.ts";
import { systemClock } from "../../../src/stores/system-clock.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

interface Span {
  readonly from: number;
  readonly to: number;
}

/** Queues all at once, each of so many milliseconds, and gives when each began and ended. */
async function spansOf(queue: StatementQueue, durations: readonly number[]): Promise<Span[]> {
  const begun = Date.now();
  const all = durations.map((ms) =>
    queue.run(async () => {
      const from = Date.now() - begun;
      await systemClock.sleep(ms);
      return { from, to: Date.now() - begun };
    }),
  );
  await vi.advanceTimersByTimeAsync(durations.length * 2000);
  return Promise.all(all);
}

test("any statements up to 100 ms: in order, never two at once, each followed by a pause as long as it took", async () => {
  const durations = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(durations, async (asked) => {
      const spans = await spansOf(new StatementQueue(systemClock), asked);
      let free = 0;
      for (const { from, to } of spans) {
        expect(from).toBe(free);
        free = to + (to - from);
      }
    }),
  );
});

test("a statement that waits for a lock holds the others up for 200 ms and no longer", async () => {
  const spans = await spansOf(new StatementQueue(systemClock), [1500, 10, 10]);
  expect(spans).toEqual([
    { from: 0, to: 1500 },
    { from: 200, to: 210 },
    { from: 220, to: 230 },
  ]);
});

test("a statement that fails lets the next one run like any other, and its error reaches the caller", async () => {
  const queue = new StatementQueue(systemClock);
  const failing = queue.run(() => Promise.reject(new Error("deadlock")));
  await expect(failing).rejects.toThrow("deadlock");
  expect(await spansOf(queue, [5])).toEqual([{ from: 0, to: 5 }]);
});
