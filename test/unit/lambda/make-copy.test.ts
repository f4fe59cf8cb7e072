/** One copy of a function: repetitions, the end of its time, the job's end. Time is virtual. */

import { describe, expect, it } from "vitest";
import { encodeTask } from "../../../src/engines/aws/copy-task.ts";
import type { PlannedCopy } from "../../../src/lambda/planned-copy.ts";
import { S3Fault } from "../../../src/stores/s3/s3-errors.ts";
import { environment, eventOf, fault, refuse, TASK, TERMS } from "./lambda-fakes.ts";

const SLOW_DOWN = refuse(fault("SlowDown", 503));
const TAKEN = refuse(fault("PreconditionFailed", 412));
const COPIED = { code: "Succeeded", outcome: { kind: "copied", etag: TASK.etag } };
const REPLACING = "0cc175b9c0f1b6a831c399e269772661";

/** Answers only when its request is given up, as the SDK does. */
const silent = (_: PlannedCopy, signal: AbortSignal) =>
  new Promise<string>((_resolve, reject) => {
    const giveUp = () =>
      reject(new S3Fault({ code: "Timeout", status: null, message: "", kind: "unavailable" }, "copying"));
    if (signal.aborted) giveUp();
    signal.addEventListener("abort", giveUp);
  });

describe("what passes by itself", () => {
  it.each(["SlowDown", "InternalError", "ConditionalRequestConflict"])("is repeated: %s", async (code) => {
    const { answerOne, store } = environment();
    const failing = refuse(fault(code, code === "SlowDown" ? 503 : 409));
    store.copies = [failing, failing, () => TASK.etag];
    expect(await answerOne()).toMatchObject(COPIED);
    expect(store.count("copy")).toBe(3);
  });

  it("is repeated with growing pauses for 20 s at most, and then is temporary", async () => {
    const { answerOne, store, clock, lines } = environment();
    store.copies = [SLOW_DOWN];
    expect(await answerOne()).toMatchObject({ code: "TemporaryFailure" });
    const times = store.sent.map(({ at }) => at - 1_000_000);
    expect(times.slice(0, 5)).toEqual([0, 100, 300, 700, 1500]);
    expect(times.at(-1)).toBeLessThan(20_000);
    expect(times.at(-1)).toBeGreaterThan(15_000);
    expect(clock.at - 1_000_000).toBeLessThan(25_000);
    expect(lines).toMatchObject([{ event: "task_failed", reason: expect.stringContaining("SlowDown") }]);
  });

  it("is given up well before the function is ended", async () => {
    const { answerOne, store, clock } = environment();
    store.copies = [SLOW_DOWN];
    expect(await answerOne({}, {}, 8_000)).toMatchObject({ code: "TemporaryFailure" });
    expect(clock.at - 1_000_000).toBeLessThan(8_000);
  });

  it("is a request without an answer, too", async () => {
    const { answerOne, store, clock } = environment();
    store.copies = [silent, () => TASK.etag];
    expect(await answerOne()).toMatchObject(COPIED);
    expect(clock.at - 1_000_000).toBeLessThan(12_000);
  });

  it("is no copy of a large object that takes its time", async () => {
    const { answerOne, store, clock } = environment();
    store.copies = [
      async ({ task }, signal) => {
        await clock.sleep(40_000, signal);
        if (signal.aborted) throw fault("Timeout", null);
        return task.etag;
      },
    ];
    expect(await answerOne({ size: 2 ** 30 })).toMatchObject(COPIED);
    expect(store.count("copy")).toBe(1);
  });

  it("is answered in time when the store never answers", async () => {
    const { answerOne, store, clock } = environment();
    store.copies = [silent];
    expect(await answerOne({ size: 2 ** 30 })).toMatchObject({ code: "TemporaryFailure" });
    expect(clock.at - 1_000_000).toBeLessThan(60_000);
  });
});

describe("a condition that does not hold", () => {
  it("is an own copy where the planned version stands at the target", async () => {
    const { answerOne, store } = environment();
    store.copies = [TAKEN];
    store.looks = [() => ({ etag: TASK.etag, size: TASK.size })];
    expect(await answerOne()).toMatchObject(COPIED);
    expect(store.sent.map(({ request }) => request)).toEqual(["copy", "look"]);
  });

  it.each([
    ["another object", () => ({ etag: REPLACING, size: TASK.size })],
    ["an object of another size", () => ({ etag: TASK.etag, size: TASK.size + 1 })],
    ["nothing", () => null],
    ["what may not be looked at", refuse(fault("HTTP 403", 403))],
  ])("is for the service where the target is %s", async (_, look) => {
    const { answerOne, store } = environment();
    store.copies = [TAKEN];
    store.looks = [look];
    expect(await answerOne()).toMatchObject({ code: "Succeeded", outcome: { kind: "precondition_failed" } });
  });

  it("is looked at again when the look is throttled", async () => {
    const { answerOne, store } = environment();
    store.copies = [TAKEN];
    store.looks = [SLOW_DOWN, () => ({ etag: TASK.etag, size: TASK.size })];
    expect(await answerOne()).toMatchObject(COPIED);
  });

  it("is looked at once even when the time for repetitions is over, and then is temporary", async () => {
    const { answerOne, store, clock } = environment();
    const late = async () => {
      await clock.sleep(25_000);
      throw fault("PreconditionFailed", 412);
    };
    store.copies = [late];
    store.looks = [() => ({ etag: TASK.etag, size: TASK.size }), SLOW_DOWN];
    expect(await answerOne({ size: TASK.size })).toMatchObject(COPIED);
    expect(await answerOne()).toMatchObject({ code: "TemporaryFailure" });
    expect(store.count("look")).toBe(2);
  });
});

describe("a job that is over", () => {
  it("has its copies held, and nothing is sent", async () => {
    const { answerOne, store } = environment();
    const held = { code: "Succeeded", outcome: { kind: "held" } };
    expect(await answerOne({}, { notAfter: 1_000_000 })).toMatchObject(held);
    expect(store.sent).toEqual([]);
    expect(await answerOne({}, { notAfter: 1_000_001 })).toMatchObject(COPIED);
  });

  it("is over for repetitions as well", async () => {
    const { answerOne, store } = environment();
    store.copies = [SLOW_DOWN];
    const { outcome } = await answerOne({}, { notAfter: 1_000_500 });
    expect(outcome).toEqual({ kind: "held" });
    expect(store.sent.every(({ at }) => at < 1_000_500)).toBe(true);
  });

  it("is over for what waits for its turn", async () => {
    const { answer, store } = environment();
    const terms = { ...TERMS, leastMs: 1_000, notAfter: 1_000_500 };
    const { results } = await answer(eventOf([encodeTask(TASK), encodeTask(TASK)], terms));
    expect(results.map(({ resultString }) => JSON.parse(resultString).kind)).toEqual(["copied", "held"]);
    expect(store.sent.length).toBe(1);
  });

  it("is over for a process that stood still between its decision and the request", async () => {
    const { answerOne, store, clock } = environment();
    let asked = 0;
    const copy = store.copy.bind(store);
    store.copy = (planned, mayBegin, signal) => {
      if (asked++ === 0) clock.at += 1_000;
      return copy(planned, mayBegin, signal);
    };
    expect((await answerOne({}, { notAfter: 1_000_500 })).outcome).toBeNull();
    expect(store.sent).toEqual([]);
  });
});

describe("an invocation", () => {
  it("lasts as long as the rate asks for, when it has sent something", async () => {
    const { answerOne, clock } = environment();
    await answerOne({}, { leastMs: 250 });
    expect(clock.at).toBe(1_000_250);
    await answerOne({}, { leastMs: 250, notAfter: 0 });
    expect(clock.at).toBe(1_000_250);
  });

  it("keeps its requests as far apart, whatever they are for", async () => {
    const { answer, store, clock } = environment();
    store.copies = [SLOW_DOWN, TAKEN, () => TASK.etag];
    await answer(eventOf([encodeTask(TASK), encodeTask(TASK)], { ...TERMS, leastMs: 2_000 }));
    expect(store.sent.map(({ at }) => at - 1_000_000)).toEqual([0, 2_000, 4_000, 6_000]);
    expect(clock.at - 1_000_000).toBe(8_000);
  });

  it("repeats nothing after 20 s, however far apart the rate keeps its requests", async () => {
    const { answerOne, store } = environment();
    store.copies = [SLOW_DOWN];
    expect(await answerOne({}, { leastMs: 15_000 })).toMatchObject({ code: "TemporaryFailure" });
    expect(store.sent.map(({ at }) => at - 1_000_000)).toEqual([0, 15_000]);
  });

  it("sends nothing where its time is too short for the rate", async () => {
    const { answerOne, store, clock } = environment();
    expect(await answerOne({}, { leastMs: 58_000 })).toMatchObject({ code: "TemporaryFailure" });
    expect(store.sent).toEqual([]);
    expect(clock.at).toBe(1_000_000);
  });

  it("takes its tasks one after the other, and leaves those for later that its time is too short for", async () => {
    const { answer, store } = environment();
    store.copies = [silent];
    const event = eventOf(Array.from({ length: 5 }, () => encodeTask(TASK)));
    const { results } = await answer(event);
    expect(results.map(({ resultCode }) => resultCode)).toEqual(Array(5).fill("TemporaryFailure"));
    const { at } = store.sent.at(-1)!;
    expect(at - 1_000_000).toBeLessThan(57_000);
  });
});

describe("a failure that depends on the object", () => {
  it.each([
    ["NoSuchKey", 404, { kind: "source_gone" }],
    ["InvalidObjectState", 403, { kind: "failed", code: "needs_restore" }],
    ["AccessDenied", 403, { kind: "failed", code: "access_denied" }],
    ["InvalidRequest", 400, { kind: "failed", code: "copy_refused" }],
  ])("is reported at once: %s", async (code, status, outcome) => {
    const { answerOne, store } = environment();
    store.copies = [refuse(fault(code, status))];
    expect(await answerOne()).toMatchObject({ code: "Succeeded", outcome });
    expect(store.sent.length).toBe(1);
  });

  it("is never a vanished source where the target may have vanished", async () => {
    const { answerOne, store } = environment();
    store.copies = [refuse(fault("NoSuchKey", 404))];
    const { outcome } = await answerOne({ replacing: REPLACING });
    expect(outcome).toEqual({ kind: "precondition_failed" });
  });

  it("is none of the program's own errors", async () => {
    const { answerOne, store } = environment();
    store.copies = [refuse(new TypeError("odd")), () => TASK.etag];
    expect(await answerOne()).toMatchObject({ code: "TemporaryFailure", text: "odd" });
    expect(store.count("copy")).toBe(1);
  });
});
