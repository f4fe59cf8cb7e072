/** Events of S3 Batch Operations: both schemas, several tasks, every encoding of a key; and the formats that travel in them. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RowUpdates } from "../../src/domain/engines/row-updates.ts";
import type { ReferenceSpec } from "../../src/domain/job-spec.ts";
import {
  type CopyTask,
  decodeTask,
  encodeTask,
  MOST_FIELD_CHARACTERS,
} from "../../src/engines/aws/copy-task.ts";
import { decodeOutcome, encodeOutcome, type TaskOutcome } from "../../src/engines/aws/task-outcome.ts";
import { decodeTerms, encodeTerms, type JobTerms } from "../../src/engines/aws/user-arguments.ts";
import { hostileKeys } from "../support/hostile-keys.ts";
import { environment, eventOf, TASK, TERMS, UPDATES } from "./lambda/lambda-fakes.ts";

/** Python's `quote_plus`, of which `*` is encoded and `~` is not. */
const quotePlus = (text: string) =>
  encodeURIComponent(text)
    .replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+");

/** What may have become of a manifest's field on its way into an event: which of them S3 does is not published. */
const TRAVELS: Readonly<Record<string, (field: string) => string>> = {
  "as it is": (field) => field,
  "with + for %20": (field) => field.replaceAll("%20", "+"),
  "decoded and form-encoded": (field) => quotePlus(decodeURIComponent(field)),
  "decoded and encoded as Java does, ~ too": (field) =>
    quotePlus(decodeURIComponent(field)).replaceAll("~", "%7E").replaceAll("%2A", "*"),
  "decoded and encoded as a path": (field) =>
    decodeURIComponent(field).split("/").map(encodeURIComponent).join("/"),
  "with hexadecimal digits in lower case": (field) => field.replaceAll(/%../g, (c) => c.toLowerCase()),
};

const key = fc.oneof(
  fc.string({ minLength: 1, maxLength: 60, unit: "binary" }),
  fc.stringMatching(/^[ +%~/&=a2E*]{1,20}$/),
  fc.constantFrom(...hostileKeys),
);
const etag = fc.stringMatching(/^[0-9a-f]{32}(-[1-9][0-9]{0,3})?$/);
const task: fc.Arbitrary<CopyTask> = fc.record({
  number: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  etag,
  size: fc.nat({ max: 2 ** 43 }),
  storageClass: fc.constantFrom(null, "STANDARD_IA", "GLACIER_IR"),
  replacing: fc.option(etag),
  key,
});

describe("a task in a manifest's key field", () => {
  it.each(Object.entries(TRAVELS))("is read back %s", (_, travel) => {
    fc.assert(
      fc.property(task, (given) => void expect(decodeTask(travel(encodeTask(given)))).toEqual(given)),
    );
  });

  it("is one CSV field of unreserved characters, whatever the key", () => {
    fc.assert(
      fc.property(task, (given) => void expect(encodeTask(given)).toMatch(/^t1~(?:[\w.~-]|%[0-9A-F]{2})+$/)),
    );
  });

  it("fits for a long key of plain characters", () => {
    const longest = encodeTask({ ...TASK, storageClass: "INTELLIGENT_TIERING", key: "k".repeat(900) });
    expect(longest.length).toBeLessThanOrEqual(MOST_FIELD_CHARACTERS);
  });

  it.each([
    ["of another format", encodeTask(TASK).replace("t1~", "t2~")],
    ["of no format", "image/a.jpg"],
    ["with a field less", encodeTask(TASK).split("~").slice(0, 6).join("~")],
    ["without a key", encodeTask({ ...TASK, key: "" })],
    ["with a number that is none", encodeTask({ ...TASK, number: 36 }).replace("~10~", "~1!0~")],
    ["with a negative size", "t1~1~abc~-5~~~image/a"],
    ["cut within an escape", `${encodeTask(TASK)}%4`],
    ["that is no UTF-8", `${encodeTask(TASK)}%ff`],
    ["that is empty", ""],
  ])("is none %s", (_, field) => expect(decodeTask(field)).toBeNull());
});

describe("a job's terms", () => {
  const name = fc.string({ minLength: 1, maxLength: 20, unit: "grapheme" });
  const values = fc.dictionary(name, fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)), {
    noNullPrototype: true,
    maxKeys: 3,
  });
  const reference: fc.Arbitrary<ReferenceSpec> = fc.record({
    ...{ database: name, table: name, key: name, column: name },
    urlPrefix: fc.option(fc.webUrl()),
    ...{ where: values, set: values },
    keepUpdatedAt: fc.boolean(),
  });
  const updates: fc.Arbitrary<RowUpdates> = fc.record({
    references: fc.array(reference, { minLength: 1, maxLength: 3 }),
    maxThreadsRunning: fc.option(fc.nat()),
  });
  const terms: fc.Arbitrary<JobTerms> = fc.record({
    token: fc.string({ minLength: 1, maxLength: 64 }),
    sourceBucket: fc.stringMatching(/^[a-z0-9.-]{3,63}$/),
    sourcePrefix: fc.oneof(fc.constant(""), key),
    targetBucket: fc.stringMatching(/^[a-z0-9.-]{3,63}$/),
    targetPrefix: fc.oneof(fc.constant(""), key),
    notAfter: fc.option(fc.nat({ max: 4e12 })),
    leastMs: fc.oneof(fc.nat({ max: 60_000 }), fc.double({ min: 0, max: 60_000, noNaN: true })),
    copyLogs: fc.option(fc.constantFrom("Copy_Logs", "a.b-c_d")),
    updates: fc.option(updates),
  });

  it("are read back", () => {
    fc.assert(
      fc.property(terms, (given) => {
        const { leastMs, ...rest } = decodeTerms(encodeTerms(given));
        const { leastMs: least, ...others } = given;
        expect(rest).toEqual(others);
        expect(leastMs).toBeCloseTo(least, 9);
      }),
    );
  });

  it("are at most ten arguments of ASCII", () => {
    fc.assert(
      fc.property(terms, (given) => {
        const all = encodeTerms(given);
        expect(Object.keys(all).length).toBeLessThanOrEqual(10);
        for (const value of Object.values(all)) expect(value).toMatch(/^[\x21-\x7e]+$/);
      }),
    );
  });

  it.each([
    ["of another version", { v: "2" }],
    ["without a version", { v: "" }],
    ["without a token", { token: "" }],
    ["without a bucket", { targetBucket: "" }],
    ["with a time that is none", { notAfter: "soon" }],
    ["with a negative time", { leastMs: "-1" }],
    ["with a broken escape", { sourcePrefix: "%4" }],
    ["with rows to update that are no JSON", { updates: "app" }],
    ["with rows of no table", { updates: "[null]" }],
    ["with a limit that is none", { updates: '["5",["app","t","id","c",null,{},{},0]]' }],
    ["with a table without a name", { updates: '[5,["app","","id","c",null,{},{},0]]' }],
    ["with a condition that is no value", { updates: '[5,["app","t","id","c",null,{"a":{}},{},0]]' }],
    ["with more than is known", { updates: '[5,["app","t","id","c",null,{},{},0,1]]' }],
  ])("%s are refused", (_, change) => {
    expect(() => decodeTerms({ ...encodeTerms(TERMS), ...change })).toThrow(RangeError);
  });
});

describe("an outcome", () => {
  const outcome: fc.Arbitrary<TaskOutcome> = fc.oneof(
    fc.record({ kind: fc.constant("copied" as const), etag }),
    fc.record({ kind: fc.constantFrom("source_gone", "precondition_failed", "held") }),
    fc.record({
      kind: fc.constant("failed" as const),
      code: fc.constantFrom("access_denied", "needs_restore", "copy_refused"),
      message: fc.string({ maxLength: 400, unit: "binary" }),
    }),
  );

  it("is read back, of a failure's message what fits into a report", () => {
    fc.assert(
      fc.property(outcome, (given) => {
        const text = encodeOutcome(given);
        expect(text).toMatch(/^[\x20-\x7e]{1,240}$/);
        const read = decodeOutcome(text);
        if (given.kind !== "failed" || read?.kind !== "failed") expect(read).toEqual(given);
        else {
          expect(read.code).toBe(given.code);
          expect(given.message.replaceAll(/[^\x20-\x7e]/g, " ").startsWith(read.message)).toBe(true);
        }
      }),
    );
  });

  it.each(["", "{", "null", "[]", '"copied"', '{"kind":"moved"}', '{"kind":"copied"}', '{"kind":"failed"}'])(
    "is none: %s",
    (text) => expect(decodeOutcome(text)).toBeNull(),
  );
});

describe("an event", () => {
  it("of schema 2.0 is answered task by task, in its own schema", async () => {
    const { answer, store } = environment();
    const fields = ["image/a", "image/b"].map((name) => encodeTask({ ...TASK, key: name }));
    expect(await answer(eventOf(fields))).toEqual({
      invocationSchemaVersion: "2.0",
      treatMissingKeysAs: "TemporaryFailure",
      invocationId: "invocation-1",
      results: ["task-0", "task-1"].map((taskId) => ({
        taskId,
        resultCode: "Succeeded",
        resultString: encodeOutcome({ kind: "copied", etag: TASK.etag }),
      })),
    });
    expect(store.sent.map(({ planned }) => planned.target)).toEqual([
      { bucket: "to", key: "avatar/a" },
      { bucket: "to", key: "avatar/b" },
    ]);
  });

  it("of schema 1.0 names the bucket by its ARN", async () => {
    const { answer, store } = environment();
    const tasks = [
      { taskId: "t", s3Key: encodeTask(TASK), s3VersionId: null, s3BucketArn: "arn:aws:s3:::from" },
    ];
    const event = { ...eventOf([]), invocationSchemaVersion: "1.0", tasks };
    const { invocationSchemaVersion, results } = await answer(event);
    expect(invocationSchemaVersion).toBe("1.0");
    expect(results).toMatchObject([{ taskId: "t", resultCode: "Succeeded" }]);
    expect(store.sent[0]?.planned.source).toEqual({ bucket: "from", key: "image/a.jpg" });
  });

  it("of schema 1.0 as S3 sends it, which has no arguments, is refused for good", async () => {
    const { answer, store } = environment();
    const tasks = [
      { taskId: "t", s3Key: encodeTask(TASK), s3VersionId: null, s3BucketArn: "arn:aws:s3:::from" },
    ];
    const event = { ...eventOf([]), invocationSchemaVersion: "1.0", job: { id: "j" }, tasks };
    expect((await answer(event)).results).toMatchObject([{ taskId: "t", resultCode: "PermanentFailure" }]);
    expect(store.sent).toEqual([]);
  });

  it.each(Object.entries(TRAVELS))("finds hostile keys whose field travels %s", async (_, travel) => {
    const { answer, store } = environment();
    const keys = hostileKeys.filter((one) => one.length < 1000).map((one) => `image/${one}`);
    const { results } = await answer(eventOf(keys.map((one) => travel(encodeTask({ ...TASK, key: one })))));
    expect(new Set(results.map(({ resultCode }) => resultCode))).toEqual(new Set(["Succeeded"]));
    expect(store.sent.map(({ planned }) => planned.source.key)).toEqual(keys);
    expect(store.sent.map(({ planned }) => planned.target.key)).toEqual(
      keys.map((one) => `avatar/${one.slice("image/".length)}`),
    );
  });

  it.each<[why: string, event: unknown]>([
    ["bucket", eventOf([encodeTask(TASK)], TERMS, "other")],
    ["prefix", eventOf([encodeTask({ ...TASK, key: "images/a.jpg" })])],
    ["key only within the prefix", eventOf([encodeTask({ ...TASK, key: "x/image/a.jpg" })])],
    ["format", eventOf([encodeTask(TASK).replace("t1", "t9")])],
    ["missing ETag", eventOf([encodeTask({ ...TASK, etag: "" })])],
    ["new key, which is too long", eventOf([encodeTask({ ...TASK, key: `image/${"k".repeat(1018)}` })])],
    [
      "copy onto itself",
      eventOf([encodeTask(TASK)], { ...TERMS, targetBucket: "from", targetPrefix: "image/" }),
    ],
    ["schema", { ...eventOf([encodeTask(TASK)]), invocationSchemaVersion: "3.0" }],
    ["table, as it keeps none", eventOf([encodeTask(TASK)], { ...TERMS, copyLogs: "Copy_Logs" })],
    ["database, as it knows none", eventOf([encodeTask(TASK)], { ...TERMS, updates: UPDATES })],
    ["terms", { ...eventOf([encodeTask(TASK)]), job: { id: "j", userArguments: { v: "9" } } }],
  ])("is refused for good and nothing is sent, for its %s", async (_, event) => {
    const { answer, store, lines } = environment();
    const { results } = await answer(event);
    expect(results).toMatchObject([{ taskId: "task-0", resultCode: "PermanentFailure" }]);
    expect(results[0]?.resultString).toMatch(/^[\x20-\x7e]{1,240}$/);
    expect(store.sent).toEqual([]);
    expect(lines).toMatchObject([{ event: "task_failed", taskId: "task-0" }]);
  });

  it("answers the other tasks when one is not understood", async () => {
    const { answer } = environment();
    const { results } = await answer(eventOf([encodeTask(TASK), "nonsense", encodeTask(TASK)]));
    expect(results.map(({ resultCode }) => resultCode)).toEqual([
      "Succeeded",
      "PermanentFailure",
      "Succeeded",
    ]);
  });

  it.each([null, "event", {}, { invocationId: "i" }, { ...eventOf([]), tasks: [{ s3Key: "k" }] }])(
    "that is none is an error of the function: %j",
    async (event) => {
      await expect(environment().answer(event)).rejects.toThrow(RangeError);
    },
  );
});
