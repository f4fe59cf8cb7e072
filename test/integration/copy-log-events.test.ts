/** Events of the target bucket through queue, function 2 and table: each case that may come, and what it may change. */

import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { copyNumber } from "../../src/domain/engines/copy-number.ts";
import { CopyLogEngine } from "../../src/engines/aws/copy-log-engine.ts";
import type { Consignment, ConsignmentEngine, ConsignmentOrder } from "../../src/ports/consignment-engine.ts";
import type { NumberedCopy } from "../../src/ports/copy-engine.ts";
import { COPIER_ROLE_ID, type EventWorld, startEventWorld } from "../support/aws/events/event-world.ts";
import { createdMessage, type EventObject, TEST_MESSAGE } from "../support/aws/events/s3-events.ts";
import { hostileKeys } from "../support/hostile-keys.ts";
import { only } from "../support/only.ts";

const TOKEN = "token-1";
const BATCH = 3;
/** Another principal than the copying function. */
const APPLICATION = { userIdentity: { principalId: "AWS:AROAAPP:web" } };
const signal = new AbortController().signal;
let world: EventWorld;

beforeAll(async () => {
  world = await startEventWorld(["bucket-b"]);
});
afterAll(() => world.close());
beforeEach(async () => {
  await world.queue.purge();
  await world.logs.remove(Object.keys(await world.table.rows()).map(placeOf));
});

const placeOf = (name: string) => {
  const slash = name.indexOf("/");
  return { bucket: name.slice(0, slash), key: name.slice(slash + 1) };
};
const copy: NumberedCopy = {
  number: copyNumber(BATCH, 0),
  request: {
    source: { bucket: "bucket-a", key: "image/k", etag: "e1", size: 7 },
    target: { bucket: "bucket-b", key: "avatar/k" },
    storageClass: null,
    onlyIfAbsent: true,
  },
};
const OURS: EventObject = { bucket: "bucket-b", key: "avatar/k", etag: "e1", size: 7 };

/** Function 1 before its copy. */
const begin =
  (job = TOKEN) =>
  async () => {
    const { source, target } = copy.request;
    return (await world.logs.begin({ job, batch: BATCH, source, target })).kind;
  };
/** Messages are sent, delivered and settled. */
const deliver =
  (...bodies: string[]) =>
  async () => {
    for (const body of bodies) await world.queue.send(body);
    await world.poller.drained();
  };
const drain = () => world.logs.remove([copy.request.target]);
const event = (object: Partial<EventObject> = {}, more: object = {}) =>
  createdMessage({ ...OURS, ...object }, more);

interface Expected {
  /** The flag of the record; absent: there is none. */
  readonly flag?: boolean;
  /** ETag in the result that the engine gives; absent: it gives none. */
  readonly known?: string;
  readonly deadLetters?: number;
  /** Messages that function 2 has ignored, with a line in its log. */
  readonly ignored?: number;
  /** What function 1 is told when it is invoked again afterwards. */
  readonly again: "recorded" | "flagged" | "unrecorded";
}

const FLAGGED: Expected = { flag: true, known: "e1", again: "flagged" };
const UNFLAGGED: Expected = { flag: false, again: "recorded" };
const NO_RECORD: Expected = { again: "recorded" };
const DEAD: Expected = { ...UNFLAGGED, deadLetters: 1 };

const CASES: readonly [name: string, steps: readonly (() => Promise<unknown>)[], expected: Expected][] = [
  ["delivered", [begin(), deliver(event())], FLAGGED],
  ["lost", [begin(), deliver()], UNFLAGGED],
  ["doubled", [begin(), deliver(event(), event()), deliver(event())], FLAGGED],
  ["of a multipart upload's completion", [begin(), deliver(multipart())], FLAGGED],
  ["before its record", [deliver(event()), begin()], UNFLAGGED],
  ["before its record and again after it", [deliver(event()), begin(), deliver(event())], FLAGGED],
  ["and the record made again after it", [begin(), deliver(event()), begin()], FLAGGED],
  ["after the drain", [begin(), deliver(event()), drain, deliver(event())], NO_RECORD],
  ["never followed by the drain, and drained", [begin(), drain], NO_RECORD],
  ["of an upload without a record", [deliver(event({}, APPLICATION))], NO_RECORD],
  ["of another object at the key", [begin(), deliver(event({ etag: "e2" }, APPLICATION))], UNFLAGGED],
  ["of an object of another size", [begin(), deliver(event({ size: 8 }))], UNFLAGGED],
  ["reordered: overwritten first", [begin(), deliver(overwritten(), event())], FLAGGED],
  ["reordered: overwritten afterwards", [begin(), deliver(event(), overwritten())], FLAGGED],
  ["of a copy with another ETag by the function", [begin(), deliver(event({ etag: "kms" }))], kms()],
  ["of a kind that is not subscribed to", [begin(), deliver(put())], UNFLAGGED],
  ["of another bucket", [begin(), deliver(event({ bucket: "bucket-c" }))], UNFLAGGED],
  ["of another key", [begin(), deliver(event({ key: "avatar/l" }))], UNFLAGGED],
  ["of a foreign job's copy", [begin("token-2"), begin(), deliver(event())], foreign(true)],
  ["lost, of a foreign job's record", [begin("token-2"), begin()], foreign(false)],
  ["S3's test message", [begin(), deliver(TEST_MESSAGE)], ignored(1)],
  ["no JSON", [begin(), deliver("{", "é", "x".repeat(9))], ignored(3)],
  ["JSON of something else", [begin(), deliver("7", "null", '{"Records":[{"a":1}]}')], ignored(3)],
  ["of an unknown version", [begin(), deliver(event({}, { eventVersion: "3.0" }))], DEAD],
  ["with a key that is not encoded", [begin(), deliver(rawKey())], DEAD],
  [
    "beside one that is not understood",
    [begin(), deliver(rawKey(), event())],
    { ...FLAGGED, deadLetters: 1 },
  ],
];

function multipart() {
  return event({}, { eventName: "ObjectCreated:CompleteMultipartUpload" });
}
function put() {
  return event({}, { eventName: "ObjectCreated:Put" });
}
function overwritten() {
  return event({ etag: "e2" }, APPLICATION);
}
function kms(): Expected {
  return { flag: true, known: "kms", again: "flagged" };
}
function foreign(flag: boolean): Expected {
  return { flag, again: "unrecorded" };
}
function ignored(count: number): Expected {
  return { ...UNFLAGGED, ignored: count };
}
function rawKey() {
  const document = JSON.parse(event());
  document.Records[0].s3.object.key = "avatar/100%";
  return JSON.stringify(document);
}

/** The engine's answer while the consignment is under way. */
async function knownEtag(): Promise<string | undefined> {
  let etag: string | undefined;
  const carrier = only<ConsignmentEngine>({
    carry: async () => {
      const take: Parameters<CopyLogEngine["known"]>[1] = (_number, result) => {
        if (result.kind === "copied") etag = result.etag;
      };
      await engine.known([copy], take, signal);
      return { kind: "ended" };
    },
  });
  const engine: CopyLogEngine = new CopyLogEngine(carrier, world.logs);
  const order = only<ConsignmentOrder>({ consignment: only<Consignment>({ token: TOKEN }) });
  await engine.carry(order, () => {}, signal);
  return etag;
}

it.each(CASES)("an event %s", async (_name, steps, { flag, known, deadLetters = 0, ignored = 0, again }) => {
  world.log.length = 0;
  for (const step of steps) await step();
  const rows = await world.table.rows();
  expect(Object.values(rows).map(({ Flag }) => Flag?.BOOL)).toEqual(flag === undefined ? [] : [flag]);
  expect(await knownEtag()).toBe(known);
  expect(await world.queue.deadLetters()).toHaveLength(deadLetters);
  expect(world.log.filter((line) => line.event === "message_ignored")).toHaveLength(ignored);
  expect(await begin()()).toBe(again);
});

it("fails only the messages of a batch that it could not settle", async () => {
  const before = world.poller.invocations.length;
  await begin()();
  await deliver(event(), rawKey(), TEST_MESSAGE, event(), "no JSON")();
  const invocations = world.poller.invocations.slice(before);
  const given = new Set(invocations.flatMap((each) => each.given));
  const kept = new Set(invocations.flatMap((each) => each.kept));
  expect([given.size, kept.size]).toEqual([5, 1]);
  expect(await world.queue.deadLetters()).toEqual([rawKey()]);
});

it("flags each of the hostile keys", async () => {
  const { source } = copy.request;
  const targets = hostileKeys.map((key) => ({ bucket: "bucket-b", key: `avatar/${key}` }));
  for (const target of targets) await world.logs.begin({ job: TOKEN, batch: BATCH, source, target });
  await deliver(...targets.map(({ key }) => event({ key })))();
  expect([...(await world.logs.flagged(targets)).keys()].sort()).toEqual(
    targets.map(({ bucket, key }) => `${bucket}/${key}`).sort(),
  );
});

it("touches no record of another bucket than function 2's", async () => {
  const { source } = copy.request;
  const target = { bucket: "bucket-c", key: "avatar/k" };
  await world.logs.begin({ job: TOKEN, batch: BATCH, source, target });
  await deliver(event(target))();
  expect(await world.logs.flagged([target])).toEqual(new Map());
});

it("is delivered again while the table cannot be written, and then flags", async () => {
  await begin()();
  world.fault = "throttled";
  world.remainingMs = 2_200;
  const before = world.poller.invocations.length;
  const began = performance.now();
  await world.queue.send(event());
  while (world.poller.invocations.length === before) await new Promise((resolve) => setTimeout(resolve, 10));
  const [first] = world.poller.invocations.slice(before);
  expect(first?.kept).toEqual(first?.given);
  // The answer was given before Lambda would have ended the function.
  expect(performance.now() - began).toBeLessThan(2_000);
  world.fault = null;
  world.remainingMs = 30_000;
  await world.poller.drained();
  expect(await world.queue.deadLetters()).toEqual([]);
  expect(await knownEtag()).toBe("e1");
});

it(`is known by the role ${COPIER_ROLE_ID} as a whole, not by the beginning of its id`, async () => {
  await begin()();
  const userIdentity = { principalId: `AWS:${COPIER_ROLE_ID}2:tranship-copy` };
  await deliver(event({ etag: "kms" }, { userIdentity }))();
  expect(await knownEtag()).toBe(undefined);
});
