/** The check of rows before a deletion: shared by two batches, no wait without a second batch, no cached answers. */

import { beforeEach, describe, expect, it } from "vitest";
import type { Batch } from "../../../src/domain/batch.ts";
import { Relocation } from "../../../src/domain/relocation.ts";
import type { ReferenceTable } from "../../../src/ports/reference-table.ts";
import { NonCanonicalUrls } from "../../../src/stages/non-canonical-urls.ts";
import { type CheckContext, ReferenceChecks } from "../../../src/stages/reference-checks.ts";
import type { JobReference } from "../../../src/stages/reference-lookup.ts";
import { HandClock } from "../../support/clocks/hand-clock.ts";
import { untilIdle } from "../../support/clocks/virtual-clock.ts";
import { AVATARS } from "../../support/job-spec.ts";
import { only } from "../../support/only.ts";

const clock = new HandClock("stands");
let looks: ReferenceChecks;
let asked: (readonly string[])[];
let rows: readonly string[];
let failure: Error | null;
let stop: AbortController;
let heldMs: number;
let context: CheckContext;

beforeEach(() => {
  looks = new ReferenceChecks(clock);
  [asked, rows, failure, stop, heldMs] = [[], [], null, new AbortController(), 0];
  const findRows = async (values: readonly string[]) => {
    asked.push(values);
    if (failure !== null) throw failure;
    return values.filter((value) => rows.includes(value)).map((value) => ({ id: "1", value }));
  };
  context = contextWith([{ table: only<ReferenceTable>({ findRows }), urlPrefix: null }]);
});

function contextWith(references: readonly JobReference[]): CheckContext {
  const databasesReady = async () => {
    // As long as the wait for a database may take.
    clock.advance(heldMs);
  };
  return {
    relocation: new Relocation(AVATARS),
    references,
    nonCanonicalUrls: new NonCanonicalUrls([], clock),
    databasesReady,
    signal: stop.signal,
  };
}

/** A batch that stays in progress until it is told to end. */
function completed(seq: number) {
  const batch = { seq } as Batch;
  let leave = () => {};
  const left = looks.during(batch, () => new Promise<void>((resolve) => (leave = resolve)));
  const leaves = async () => {
    leave();
    await left;
  };
  return { batch, leave: leaves };
}

const access = (batch: Batch, key: string) => looks.stillNamed(context, batch, [{ key }]);

/** Whether it is settled, as far as that can be seen without time passing. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const note = () => {
    settled = true;
  };
  promise.then(note, note);
  await untilIdle();
  return settled;
}

describe("of two batches on their way", () => {
  it("the first waits, and one statement answers both; it is asked when the second has come", async () => {
    const [first, second] = [completed(1), completed(2)];
    rows = ["b"];
    const one = access(first.batch, "a");
    expect(await isSettled(one)).toBe(false);
    clock.advance(700);
    const now = clock.now();
    const other = access(second.batch, "b");
    expect([...(await one).named, ...(await other).named]).toEqual(["b", "b"]);
    expect(asked).toEqual([["a", "b"]]);
    expect((await one).askedAt.wall).toBeGreaterThanOrEqual(now);
    expect((await other).askedAt).toBe((await one).askedAt);
  });

  it("the first goes on after a second, and the second then does not wait", async () => {
    const [first, second] = [completed(1), completed(2)];
    const one = access(first.batch, "a");
    clock.advance(999);
    expect(await isSettled(one)).toBe(false);
    clock.advance(1);
    await one;
    await access(second.batch, "b");
    expect(asked).toEqual([["a"], ["b"]]);
  });

  it("the first goes on at once when the second has left: deferred, done with or failed", async () => {
    const [first, second] = [completed(1), completed(2)];
    const one = access(first.batch, "a");
    await second.leave();
    expect(await isSettled(one)).toBe(true);
    expect(asked).toEqual([["a"]]);
  });

  it("both fail when the database does, and both may ask again", async () => {
    const [first, second] = [completed(1), completed(2)];
    failure = new Error("away");
    const both = await Promise.allSettled([access(first.batch, "a"), access(second.batch, "b")]);
    expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    failure = null;
    rows = ["a"];
    expect((await access(first.batch, "a")).named).toEqual(new Set(["a"]));
    expect(asked).toEqual([["a", "b"], ["a"]]);
  });

  it("a job that is to stop is not held up by the wait", async () => {
    const [first] = [completed(1), completed(2)];
    const one = access(first.batch, "a");
    stop.abort();
    expect(await isSettled(one)).toBe(true);
  });
});

it("three batches: the third does not join an answer that has been asked for", async () => {
  const [first, second, third] = [completed(1), completed(2), completed(3)];
  const one = access(first.batch, "a");
  const other = access(second.batch, "b");
  await Promise.all([one, other]);
  rows = ["a"];
  await access(third.batch, "a");
  expect(asked).toEqual([["a", "b"], ["a"]]);
});

it("a batch alone, or the last, asks at once", async () => {
  const only = completed(1);
  expect(await isSettled(access(only.batch, "a"))).toBe(true);
  expect(asked).toEqual([["a"]]);
});

it("what a held database makes it wait comes before the asking", async () => {
  heldMs = 60_000;
  const now = clock.now();
  expect((await access(completed(1).batch, "a")).askedAt.wall).toBeGreaterThanOrEqual(now + 60_000);
});

it("a batch that is checked again does not wait: not for itself, and not each time for others", async () => {
  const [first] = [completed(1), completed(2)];
  const one = access(first.batch, "a");
  clock.advance(1001);
  await one;
  expect(await isSettled(access(first.batch, "a"))).toBe(true);
});

it("a batch that is alone and asks again does not wait for itself", async () => {
  const only = completed(1);
  await access(only.batch, "a");
  expect(await isSettled(access(only.batch, "a"))).toBe(true);
});

it("no check waits where there are no references", async () => {
  const [first] = [completed(1), completed(2)];
  context = contextWith([]);
  expect(await isSettled(access(first.batch, "a"))).toBe(true);
});
