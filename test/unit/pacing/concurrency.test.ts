/** Slots for requests: all in use while there is work, never more than there are, handed over from batch to batch. */

import { describe, expect, it } from "vitest";
import { DomainError } from "../../../src/domain/errors.ts";
import { limitConcurrency } from "../../../src/pacing/concurrency.ts";
import { untilIdle } from "../../support/clocks/virtual-clock.ts";

const numbers = (count: number) => Array.from({ length: count }, (_, at) => at);

/** Work whose items end when the test says so. */
function workshop() {
  const open: (() => void)[] = [];
  const begun: number[] = [];
  return {
    begun,
    get running() {
      return open.length;
    },
    work: (item: number) => {
      begun.push(item);
      return new Promise<void>((resolve) => open.push(resolve));
    },
    async finish(count: number) {
      for (const end of open.splice(0, count)) end();
      await untilIdle();
    },
  };
}

describe("limitConcurrency", () => {
  it("keeps all slots in use across the boundary of two batches, first come first served", async () => {
    const shop = workshop();
    const limiter = limitConcurrency(4);
    const first = limiter.each(numbers(6), shop.work);
    const second = limiter.each(
      numbers(6).map((at) => at + 100),
      shop.work,
    );
    await untilIdle();
    expect(shop.running).toBe(4);
    await shop.finish(3);
    // Three of the first batch are running; the fourth slot goes to the second batch at once.
    expect(shop.begun).toEqual([0, 1, 2, 3, 4, 5, 100]);
    expect(shop.running).toBe(4);
    while (shop.running > 0) await shop.finish(1);
    await Promise.all([first, second]);
    expect(shop.begun).toHaveLength(12);
  });

  it("grows and shrinks while it runs, and leaves no item out", async () => {
    const shop = workshop();
    const limiter = limitConcurrency(8);
    const done = limiter.each(numbers(40), shop.work);
    await untilIdle();
    limiter.resize(1);
    await shop.finish(8);
    expect(shop.running).toBe(1);
    limiter.resize(3);
    await shop.finish(1);
    expect(shop.running).toBe(3);
    while (shop.running > 0) await shop.finish(3);
    await done;
    expect([...shop.begun].sort((a, b) => a - b)).toEqual(numbers(40));
  });

  it("uses new slots at once, for a call that is running too", async () => {
    const shop = workshop();
    const limiter = limitConcurrency(2);
    const done = limiter.each(numbers(40), shop.work);
    await untilIdle();
    expect(shop.running).toBe(2);
    limiter.resize(10);
    await untilIdle();
    expect(shop.running).toBe(10);
    while (shop.running > 0) await shop.finish(10);
    await done;
    expect([...shop.begun].sort((a, b) => a - b)).toEqual(numbers(40));
  });

  it("does not end a call that has items left, though none of them is running", async () => {
    const shop = workshop();
    const other = workshop();
    const limiter = limitConcurrency(2);
    const first = limiter.each(numbers(1), shop.work);
    let isOver = false;
    const second = limiter.each(numbers(3), other.work).then(() => {
      isOver = true;
    });
    expect(other.running).toBe(1);
    limiter.resize(1);
    // The first call has the only slot now, and two items wait.
    await other.finish(1);
    expect({ isOver, running: other.running, begun: other.begun }).toEqual({
      isOver: false,
      running: 0,
      begun: [0],
    });
    await shop.finish(1);
    while (other.running > 0) await other.finish(1);
    await Promise.all([first, second]);
    expect(other.begun).toEqual(numbers(3));
  });

  it("begins nothing in new slots before the synchronous code of the caller has ended", async () => {
    const limiter = limitConcurrency(1);
    let rate = "old";
    const seen: string[] = [];
    const ends: (() => void)[] = [];
    const done = limiter.each(numbers(3), () => {
      seen.push(rate);
      return new Promise<void>((resolve) => ends.push(resolve));
    });
    limiter.resize(3);
    rate = "new";
    await untilIdle();
    expect(seen).toEqual(["old", "new", "new"]);
    for (const end of ends) end();
    await done;
  });

  it("begins nothing after a failure, waits for what was begun, and throws the error that tells most", async () => {
    const limiter = limitConcurrency(2);
    const ended: number[] = [];
    const failing = limiter.each(numbers(10), async (item) => {
      await untilIdle();
      ended.push(item);
      if (item === 0) throw new DomainError("stopped", "asked to stop");
      throw new DomainError("store_refused", "no");
    });
    await expect(failing).rejects.toMatchObject({ code: "store_refused" });
    expect(ended).toEqual([0, 1]);
    await expect(limiter.each([1], async () => {})).resolves.toBeUndefined();
  });

  it("begins the next item when a slot is released, before release returns, and still waits for the one that released it", async () => {
    const limiter = limitConcurrency(2);
    const begun: number[] = [];
    const releases: (() => void)[] = [];
    const ends: (() => void)[] = [];
    let isOver = false;
    const done = limiter
      .each(numbers(6), (item, release) => {
        begun.push(item);
        releases.push(release);
        return new Promise<void>((resolve) => ends.push(resolve));
      })
      .then(() => {
        isOver = true;
      });
    await untilIdle();
    expect(begun).toEqual([0, 1]);
    releases[0]?.();
    expect(begun).toEqual([0, 1, 2]);
    // A second release of the same slot has no effect.
    releases[0]?.();
    ends[0]?.();
    await untilIdle();
    expect(begun).toEqual([0, 1, 2]);
    for (const release of releases) release();
    for (const release of releases) release();
    expect(begun).toEqual(numbers(6));
    for (const end of ends.slice(0, -1)) end();
    await untilIdle();
    expect(isOver).toBe(false);
    ends.at(-1)?.();
    await done;
  });

  it("gives a released slot to the next batch while the last items of the one before still run", async () => {
    const limiter = limitConcurrency(1);
    const begun: string[] = [];
    let endFirst = () => {};
    const first = limiter.each(["first"], (item, release) => {
      begun.push(item);
      setImmediate(release);
      return new Promise<void>((resolve) => {
        endFirst = resolve;
      });
    });
    const second = limiter.each(["second"], async (item) => begun.push(item));
    await second;
    expect(begun).toEqual(["first", "second"]);
    endFirst();
    await first;
  });

  it("throws the failure of an item that had released its slot, and begins nothing after it", async () => {
    const limiter = limitConcurrency(1);
    let begun = 0;
    const failing = limiter.each(numbers(3), async (_, release) => {
      begun += 1;
      release();
      await untilIdle();
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(begun).toBe(3);
    await expect(
      limiter.each(numbers(3), async () => {
        begun += 1;
        throw new Error("no");
      }),
    ).rejects.toThrow("no");
    expect(begun).toBe(4);
  });

  it("has nothing to do for no items", async () => {
    await expect(
      limitConcurrency(1).each([], () => Promise.reject(new Error("never"))),
    ).resolves.toBeUndefined();
  });
});
