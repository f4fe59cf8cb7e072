/** What goes beside a copy of a function: the record before it, and the rows after it. */

import { describe, expect, it } from "vitest";
import type { PlannedCopy } from "../../../src/lambda/planned-copy.ts";
import { environment, fault, refuse, TASK, UPDATES } from "./lambda-fakes.ts";

const SLOW_DOWN = refuse(fault("SlowDown", 503));
const TAKEN = refuse(fault("PreconditionFailed", 412));
const COPIED = { code: "Succeeded", outcome: { kind: "copied", etag: TASK.etag } };
const REPLACING = "0cc175b9c0f1b6a831c399e269772661";

describe("a job with copy logs", () => {
  const withLog = (begin: (planned: PlannedCopy) => Promise<"copied" | "open">) => {
    const tables: string[] = [];
    const copyLog = (table: string) => {
      tables.push(table);
      return { begin };
    };
    return { ...environment({ copyLog }), tables };
  };
  const terms = { copyLogs: "Copy_Logs" };

  it("has a copy's record made before the copy", async () => {
    const begun: string[] = [];
    const { answerOne, store, tables } = withLog(async ({ target }) => {
      expect(store.sent).toEqual([]);
      begun.push(`${target.bucket}/${target.key}`);
      return "open";
    });
    expect(await answerOne({}, terms)).toMatchObject(COPIED);
    expect(begun).toEqual(["to/avatar/a.jpg"]);
    expect(tables).toEqual(["Copy_Logs"]);
  });

  it("copies nothing that is flagged, and believes the bucket only", async () => {
    const { answerOne, store } = withLog(async () => "copied");
    store.looks = [() => ({ etag: TASK.etag, size: TASK.size }), () => null];
    expect(await answerOne({}, terms)).toMatchObject(COPIED);
    expect((await answerOne({}, terms)).outcome).toEqual({ kind: "precondition_failed" });
    expect(store.count("copy")).toBe(0);
  });

  it("copies nothing without a record", async () => {
    const { answerOne, store } = withLog(async () => {
      throw new Error("the table throttles");
    });
    expect(await answerOne({}, terms)).toMatchObject({
      code: "TemporaryFailure",
      text: "the table throttles",
    });
    expect(store.sent).toEqual([]);
  });

  it("has no record made of a copy that is held", async () => {
    const { answerOne } = withLog(() => expect.unreachable());
    expect((await answerOne({}, { ...terms, notAfter: 0 })).outcome).toEqual({ kind: "held" });
  });
});

describe("a job whose rows the function updates", () => {
  const withUpdates = () => {
    const followed: string[] = [];
    const world = environment({
      updates: ({ token, change: { from, to }, updates }) => {
        expect(updates).toEqual(UPDATES);
        const job = `${token} ${from} ${to}`;
        return { afterCopy: async ({ target }, etag) => void followed.push(`${job} ${target.key} ${etag}`) };
      },
    });
    return { ...world, followed };
  };
  const terms = { updates: UPDATES };
  const expected = [`job-1 image/ avatar/ avatar/a.jpg ${TASK.etag}`];

  it("has them updated after a copy that its ETag proves, also one of an earlier invocation", async () => {
    const { answerOne, followed, store } = withUpdates();
    expect(await answerOne({}, terms)).toMatchObject(COPIED);
    expect(followed).toEqual(expected);
    store.copies = [TAKEN];
    store.looks = [() => ({ etag: TASK.etag, size: TASK.size })];
    await answerOne({}, terms);
    expect(followed).toEqual([...expected, ...expected]);
  });

  it("has none updated without that proof", async () => {
    const { answerOne, followed, store } = withUpdates();
    store.copies = [() => REPLACING, TAKEN, SLOW_DOWN];
    expect((await answerOne({}, terms)).outcome).toEqual({ kind: "copied", etag: REPLACING });
    await answerOne({}, terms);
    await answerOne({}, terms);
    expect(followed).toEqual([]);
  });

  it("has its copy all the same when the update fails", async () => {
    const updates = () => ({ afterCopy: refuse(new Error("the database is away")) });
    const { answerOne, lines } = environment({ updates });
    expect(await answerOne({}, terms)).toMatchObject(COPIED);
    expect(lines).toMatchObject([{ event: "after_copy_failed", reason: "the database is away" }]);
  });

  it("is refused by a function that has no rows of it", async () => {
    const updates = () => {
      throw new RangeError("rows of another database");
    };
    const { answerOne, store } = environment({ updates });
    expect(await answerOne({}, terms)).toMatchObject({
      code: "PermanentFailure",
      text: "rows of another database",
    });
    expect(store.sent).toEqual([]);
  });

  it.each([
    ["while there is time", 60_000, false, true],
    ["not when a statement could outlast the function", 10_000, false, false],
    ["not after the end of the job's time", 60_000, true, false],
  ])("may have a statement sent %s", async (_, remainingMs, isOver, expected) => {
    const seen: boolean[] = [];
    const world = environment({
      updates: ({ mayBegin }) => ({ afterCopy: async () => void seen.push(mayBegin()) }),
    });
    // It is over while the object is copied.
    const notAfter = isOver ? world.clock.at + 5 : null;
    world.store.copies = [
      ({ task }) => {
        world.clock.at += 10;
        return task.etag;
      },
    ];
    await world.answerOne({}, { ...terms, notAfter }, remainingMs);
    expect(seen).toEqual([expected]);
  });
});
