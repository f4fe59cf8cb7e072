/** Places for requests: all taken while there is work, never more than there are, handed over from batch to batch. */

import { describe, expect, it } from "vitest";
import { DomainError } from "../../../src/domain/errors.ts";
import { limitConcurrency } from "../../../src/pacing/concurrency.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const numbers = (count: number) => Array.from({ length: count }, (_, at) => at);

/** Work that ends when told to, and knows how much of it is under way. */
function workshop() {
  const open: (() => void)[] = [];
  const begun: number[] = [];
  return {
    begun,
    get underWay() {
      return open.length;
    },
    work: (item: number) => {
      begun.push(item);
      return new Promise<void>((resolve) => open.push(resolve));
    },
    async finish(count: number) {
      for (const end of open.splice(0, count)) end();
      await turn();
    },
  };
}

describe("limitConcurrency", () => {
  it("keeps all places taken across the boundary of two batches, first come first served", async () => {
    const shop = workshop();
    const places = limitConcurrency(4);
    const first = places.each(numbers(6), shop.work);
    const second = places.each(
      numbers(6).map((at) => at + 100),
      shop.work,
    );
    await turn();
    expect(shop.underWay).toBe(4);
    await shop.finish(3);
    // Three of the first batch are left to be taken or under way; the fourth place goes to the second batch at once.
    expect(shop.begun).toEqual([0, 1, 2, 3, 4, 5, 100]);
    expect(shop.underWay).toBe(4);
    while (shop.underWay > 0) await shop.finish(1);
    await Promise.all([first, second]);
    expect(shop.begun).toHaveLength(12);
  });

  it("takes and gives places while it runs, and leaves no item out", async () => {
    const shop = workshop();
    const places = limitConcurrency(8);
    const done = places.each(numbers(40), shop.work);
    await turn();
    places.resize(1);
    await shop.finish(8);
    expect(shop.underWay).toBe(1);
    places.resize(3);
    await shop.finish(1);
    expect(shop.underWay).toBe(3);
    while (shop.underWay > 0) await shop.finish(3);
    await done;
    expect([...shop.begun].sort((a, b) => a - b)).toEqual(numbers(40));
  });

  it("takes new places at once, for the work that is in hand too", async () => {
    const shop = workshop();
    const places = limitConcurrency(2);
    const done = places.each(numbers(40), shop.work);
    await turn();
    expect(shop.underWay).toBe(2);
    places.resize(10);
    await turn();
    expect(shop.underWay).toBe(10);
    while (shop.underWay > 0) await shop.finish(10);
    await done;
    expect([...shop.begun].sort((a, b) => a - b)).toEqual(numbers(40));
  });

  it("is not over while items are left, though none of its own is under way", async () => {
    const shop = workshop();
    const other = workshop();
    const places = limitConcurrency(2);
    const first = places.each(numbers(1), shop.work);
    let isOver = false;
    const second = places.each(numbers(3), other.work).then(() => {
      isOver = true;
    });
    expect(other.underWay).toBe(1);
    places.resize(1);
    // The only place is the first one's now, and two items wait.
    await other.finish(1);
    expect({ isOver, underWay: other.underWay, begun: other.begun }).toEqual({
      isOver: false,
      underWay: 0,
      begun: [0],
    });
    await shop.finish(1);
    while (other.underWay > 0) await other.finish(1);
    await Promise.all([first, second]);
    expect(other.begun).toEqual(numbers(3));
  });

  it("begins nothing for new places before the caller has set whatever else changes with them", async () => {
    const places = limitConcurrency(1);
    let rate = "old";
    const seen: string[] = [];
    const ends: (() => void)[] = [];
    const done = places.each(numbers(3), () => {
      seen.push(rate);
      return new Promise<void>((resolve) => ends.push(resolve));
    });
    places.resize(3);
    rate = "new";
    await turn();
    expect(seen).toEqual(["old", "new", "new"]);
    for (const end of ends) end();
    await done;
  });

  it("begins nothing after a failure, waits for what was begun, and throws what tells most", async () => {
    const places = limitConcurrency(2);
    const ended: number[] = [];
    const failing = places.each(numbers(10), async (item) => {
      await turn();
      ended.push(item);
      if (item === 0) throw new DomainError("stopped", "asked to stop");
      throw new DomainError("store_refused", "no");
    });
    await expect(failing).rejects.toMatchObject({ code: "store_refused" });
    expect(ended).toEqual([0, 1]);
    await expect(places.each([1], async () => {})).resolves.toBeUndefined();
  });

  it("begins the next item when a place is freed, before free returns, and still waits for what freed it", async () => {
    const places = limitConcurrency(2);
    const begun: number[] = [];
    const frees: (() => void)[] = [];
    const ends: (() => void)[] = [];
    let isOver = false;
    const done = places
      .each(numbers(6), (item, free) => {
        begun.push(item);
        frees.push(free);
        return new Promise<void>((resolve) => ends.push(resolve));
      })
      .then(() => {
        isOver = true;
      });
    await turn();
    expect(begun).toEqual([0, 1]);
    frees[0]?.();
    expect(begun).toEqual([0, 1, 2]);
    // Whoever has freed his place once has none to free any more.
    frees[0]?.();
    ends[0]?.();
    await turn();
    expect(begun).toEqual([0, 1, 2]);
    for (const free of frees) free();
    for (const free of frees) free();
    expect(begun).toEqual(numbers(6));
    for (const end of ends.slice(0, -1)) end();
    await turn();
    expect(isOver).toBe(false);
    ends.at(-1)?.();
    await done;
  });

  it("gives a freed place to the next batch while the last items of the one before still end", async () => {
    const places = limitConcurrency(1);
    const begun: string[] = [];
    let endFirst = () => {};
    const first = places.each(["first"], (item, free) => {
      begun.push(item);
      setImmediate(free);
      return new Promise<void>((resolve) => {
        endFirst = resolve;
      });
    });
    const second = places.each(["second"], async (item) => begun.push(item));
    await second;
    expect(begun).toEqual(["first", "second"]);
    endFirst();
    await first;
  });

  it("throws the failure of an item that had freed its place, and begins nothing after it", async () => {
    const places = limitConcurrency(1);
    let begun = 0;
    const failing = places.each(numbers(3), async (_, free) => {
      begun += 1;
      free();
      await turn();
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(begun).toBe(3);
    await expect(
      places.each(numbers(3), async () => {
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
