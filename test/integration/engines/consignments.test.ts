/** Jobs whose copies an external engine makes: the end is the same as with the service, whatever becomes of the engine. */

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { JobParts } from "../../../src/jobs/job-parts.ts";
import type { Lease, Ledger } from "../../../src/ports/ledger.ts";
import { noRequests } from "../../../src/ports/object-store.ts";
import { expectAllMoved } from "../../support/all-moved.ts";
import { AWS_SECTION } from "../../support/aws-settings.ts";
import { bodyOf, copiesMade, moved, until, workWith } from "../../support/bystander.ts";
import { HandClock } from "../../support/clocks/hand-clock.ts";
import { type CrashPoint, crashingLedger } from "../../support/crashing-ledger.ts";
import { ExternalCopies } from "../../support/external-copies.ts";
import { fillStore, imageKeys, openWorkbench, type Workbench } from "../../support/worlds/workbench.ts";

const KEYS = imageKeys(1_200);
const SEVENTH = KEYS[6] as string;
/** Longer than a dead owner's lease. */
const LEASE_OVER = 11_000;

/** Of no server: the engine is one of this process. */
const ENDPOINTS = { s3control: "http://127.0.0.1:9", lambda: "http://127.0.0.1:9" };

let bench: Workbench;
let clock: HandClock;
let external: ExternalCopies;
beforeEach(async () => {
  clock = new HandClock();
  bench = await openWorkbench({
    clock,
    connect: { aws: { ...AWS_SECTION, endpoints: ENDPOINTS } },
    engines: { lambda: async () => external.engine() },
  });
  fillStore(bench.store, "bucket-a", KEYS);
  bench.addRows(KEYS);
  external = new ExternalCopies(bench.parts.connections.store("main", noRequests()));
});
afterEach(() => bench.close());

const submit = (job: Record<string, unknown> = {}) =>
  bench.submit({ batchSize: 100, engine: "lambda", ...job });
const work = (id: string, more: Partial<JobParts> = {}) => workWith(bench, more, id);

describe("a consignment", () => {
  it("moves everything, each object copied once and by the engine", async () => {
    const id = await submit();
    await work(id);
    await expectAllMoved(bench, id, KEYS);
    expect(external.sent).toBe(1);
    expect(external.asked.toSorted()).toEqual(KEYS);
    expect(copiesMade(bench)).toBe(KEYS.length);
    for (const key of KEYS.slice(0, 20)) expect(bodyOf(bench, "bucket-b", moved(key))).toBe(`body of ${key}`);
    const records = await bench.ledger.consignments(id);
    expect(records.map(({ state }) => state)).toEqual(["forgotten"]);
    expect(external.forgotten.toSorted()).toEqual(KEYS.map(moved));
  });

  it("has its batches taken in while it is under way where results are known early", async () => {
    external.tellsEarly = true;
    const last = KEYS.at(-1);
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    external.beforeCopy = ({ request }) => (request.source.key === last ? gate : undefined);
    const id = await submit({ delete: { when: "never" } });
    const run = work(id);
    await until(() => {
      clock.advance(1_000);
      return bench.paths()[0] === moved(KEYS[0] as string);
    });
    expect(bench.paths().at(-1)).toBe(last);
    release();
    await run;
    expect(bench.paths()).toEqual(KEYS.map(moved));
    expect(copiesMade(bench)).toBe(KEYS.length);
  });

  it("is not believed early where an event tells another ETag than the source's", async () => {
    external.tellsEarly = true;
    const [first, last] = [KEYS[0] as string, KEYS.at(-1)];
    external.fate = ({ request }) =>
      request.source.key === first ? { kind: "copied", etag: "of-an-older-copy" } : "done";
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    external.beforeCopy = ({ request }) => (request.source.key === last ? gate : undefined);
    const id = await submit({ delete: { when: "never" } });
    const run = work(id);
    await until(() => {
      clock.advance(1_000);
      return bench.paths()[100] === moved(KEYS[100] as string);
    });
    expect(bench.paths()[0]).toBe(first);
    release();
    await run;
    expect(bodyOf(bench, "bucket-b", moved(first))).toBe(`body of ${first}`);
    expect(bench.paths()).toEqual(KEYS.map(moved));
  });

  it.each([
    ["of some copies", (key: string) => key < SEVENTH],
    ["at all", () => true],
  ])("whose engine tells nothing %s has them looked at, and makes none twice", async (_, isSilent) => {
    external.fate = ({ request }) => (isSilent(request.source.key) ? "silent" : "done");
    const id = await submit();
    await work(id);
    await expectAllMoved(bench, id, KEYS);
    expect(copiesMade(bench)).toBe(KEYS.length);
  });

  it("whose engine has lost copies leaves them to the service", async () => {
    external.fate = ({ request }) => (request.source.key < SEVENTH ? "lost" : "done");
    const id = await submit();
    await work(id);
    await expectAllMoved(bench, id, KEYS);
    expect(copiesMade(bench)).toBe(KEYS.length);
  });

  it("leaves to the service what the engine cannot copy, and a remainder that is not worth a job", async () => {
    const large = KEYS.slice(0, 5).map((key) => `${key}.large`);
    fillStore(bench.store, "bucket-a", large);
    bench.addRows(large);
    const id = await submit();
    await work(id);
    expect(await bench.jobs.get(id)).toMatchObject({
      state: "completed",
      objects: { moved: KEYS.length + 5 },
    });
    expect(external.asked.filter((key) => key.endsWith(".large"))).toEqual([]);
    const small = await submit({
      source: { bucket: "bucket-b", prefix: "avatar/" },
      target: { bucket: "bucket-a", prefix: "few/" },
      references: [],
      maxObjects: 900,
    });
    await work(small);
    expect(await bench.jobs.get(small)).toMatchObject({ state: "completed", objects: { moved: 900 } });
    expect(external.sent).toBe(1);
  });

  it("gives the failures that its engine reports as exceptions, and what changed or went meanwhile its due", async () => {
    const [gone = "", changed = "", denied = ""] = KEYS;
    external.fate = ({ request: { source } }) =>
      source.key === denied
        ? { kind: "failed", failure: { code: "access_denied", message: "not for the function" } }
        : "done";
    external.beforeCopy = ({ request: { source } }) => {
      if (source.key === gone) bench.store.deleteObject("bucket-a", gone);
      if (source.key === changed) bench.store.putObject("bucket-a", changed, "newer body");
    };
    const id = await submit();
    await work(id);
    const exceptions = await bench.exceptions(id);
    expect(exceptions[denied]).toBe("access_denied");
    expect(bodyOf(bench, "bucket-b", moved(changed))).toBe("newer body");
    expect(bodyOf(bench, "bucket-a", denied)).toBe(`body of ${denied}`);
    expect(bench.store.listKeys("bucket-a")).toEqual([denied]);
  });

  it("replaces no object that stands at the target, not even an equal one", async () => {
    const [taken = "", equal = ""] = KEYS;
    bench.store.putObject("bucket-b", moved(taken), "another's");
    bench.store.putObject("bucket-b", moved(equal), `body of ${equal}`);
    const id = await submit();
    await work(id);
    expect(await bench.exceptions(id)).toEqual({ [taken]: "target_exists", [equal]: "target_exists" });
    expect(bodyOf(bench, "bucket-b", moved(taken))).toBe("another's");
    expect(bench.store.listKeys("bucket-a")).toEqual([taken, equal]);
    expect(external.asked).not.toContain(taken);
    expect((await bench.jobs.get(id)).objects).toMatchObject({
      copied: KEYS.length - 2,
      moved: KEYS.length - 2,
    });
  });

  it("that breaks pauses the job with the reason and keeps what it has copied; resumed, the rest is sent again", async () => {
    external.breaks = "job 7 was cancelled by somebody";
    external.fate = ({ request }) => (request.source.key < SEVENTH ? "lost" : "done");
    const id = await submit();
    await letTimePass(work(id));
    const paused = await bench.jobs.get(id);
    expect(paused.state).toBe("paused");
    expect(paused.reason).toContain("job 7 was cancelled by somebody");
    external.breaks = null;
    external.fate = () => "done";
    await bench.jobs.act(id, "resume", "test");
    await work(id);
    await expectAllMoved(bench, id, KEYS);
    expect(copiesMade(bench)).toBe(KEYS.length);
  });
});

/** Lets the hand clock go on while `run` waits for it. */
async function letTimePass(run: Promise<unknown>): Promise<void> {
  let isOver = false;
  const over = run.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    clock.advance(500);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await over;
}

describe("a process that dies", () => {
  const nth = (wanted: number) => {
    let count = 0;
    return () => {
      count += 1;
      return count === wanted;
    };
  };
  const points: readonly (readonly [string, () => CrashPoint])[] = (["before", "after"] as const).flatMap(
    (moment) =>
      (
        [
          ["the consignment is recorded", "openConsignment", 1],
          ["the manifest is noted", "saveProgress", 1],
          ["the sending is noted", "saveProgress", 2],
          ["the first batch is taken in", "recordStage", 1],
          ["the seventh outcome", "recordStage", 7],
          ["the end of the consignment is recorded", "closeConsignment", 1],
          ["its records are known to be removed", "closeConsignment", 2],
        ] as const
      ).map(
        ([name, method, call]) => [`${moment} ${name}`, () => ({ method, moment, when: nth(call) })] as const,
      ),
  );

  it.each(points)("%s sends no second job, and no copy is made twice", async (_, point) => {
    const id = await submit();
    const crash = crashingLedger(bench.ledger, point());
    await letTimePass(work(id, { ledger: crash.ledger }));
    expect(crash.crashed).toBe(true);
    clock.advance(LEASE_OVER);
    await letTimePass(work(id));
    await expectAllMoved(bench, id, KEYS);
    expect(external.sent).toBe(1);
    expect(external.recalls).toBe(0);
    expect(copiesMade(bench)).toBe(KEYS.length);
  });
});

function signalled() {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** Has the engine stop before its `nth` copy until it is recalled or released; resolves when it has come so far. */
function stopAtCopy(nth: number): { readonly reached: Promise<void>; release(): void } {
  const [reached, released] = [signalled(), signalled()];
  let copies = 0;
  external.beforeCopy = async (_, { stop }) => {
    copies += 1;
    if (copies < nth) return;
    reached.resolve();
    const recalled = new Promise((resolve) => stop.signal.addEventListener("abort", resolve));
    await Promise.race([released.promise, recalled]);
  };
  return {
    reached: reached.promise,
    release() {
      external.beforeCopy = () => {};
      released.resolve();
    },
  };
}

describe("a consignment that is under way", () => {
  it("goes on when its process dies, and is followed by the next one", async () => {
    const { reached, release } = stopAtCopy(61);
    const id = await submit();
    const crash = crashingLedger(bench.ledger, {
      method: "renew",
      moment: "before",
      when: () => external.sent > 0,
    });
    const run = work(id, { ledger: crash.ledger });
    await reached;
    await letTimePass(run);
    expect(external.recalls).toBe(0);
    release();
    clock.advance(LEASE_OVER);
    await letTimePass(work(id));
    await expectAllMoved(bench, id, KEYS);
    expect(external.sent).toBe(1);
    expect(copiesMade(bench)).toBe(KEYS.length);
  });

  it("is recalled by a pause; resumed, the job sends the rest, and copies nothing twice", async () => {
    const { reached, release } = stopAtCopy(61);
    const id = await submit();
    const run = work(id);
    await reached;
    await bench.jobs.act(id, "pause", "test");
    await letTimePass(run);
    expect(await bench.jobs.get(id)).toMatchObject({ state: "paused" });
    expect(external.recalls).toBe(1);
    expect(bench.store.listKeys("bucket-b").length).toBeLessThan(100);
    release();
    await bench.jobs.act(id, "resume", "test");
    await letTimePass(work(id));
    await expectAllMoved(bench, id, KEYS);
    expect(external.sent).toBe(2);
    expect(copiesMade(bench)).toBe(KEYS.length);
  });

  it("is recalled when its window closes; what it has copied waits for the next one and is not planned again", async () => {
    const { reached, release } = stopAtCopy(361);
    const now = new Date(clock.now());
    const at = (hours: number) => new Date(now.getTime() + hours * 3_600_000).toISOString().slice(11, 16);
    const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    const open = [
      { days, from: at(-1), to: at(1) },
      { days, from: at(3), to: at(6) },
    ];
    const id = await submit({ windows: { timezone: "UTC", open, stages: ["copy"] } });
    const returned: number[] = [];
    const ledger: Ledger = new Proxy(bench.ledger, {
      get(target, name) {
        if (name === "returnBatch")
          return (lease: Lease, seq: number) => {
            returned.push(seq);
            return target.returnBatch(lease, seq);
          };
        const member: unknown = Reflect.get(target, name);
        return typeof member === "function" ? member.bind(target) : member;
      },
    });
    const run = work(id, { ledger });
    await reached;
    clock.advance(3_600_000);
    await until(() => {
      clock.advance(1_000);
      return external.recalls === 1;
    });
    // Several looks at the ledger while the batches that were copied wait for the window.
    for (let second = 0; second < 60; second += 1) {
      clock.advance(1_000);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(returned.toSorted((a, b) => a - b)).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12]);
    release();
    clock.advance(2 * 3_600_000);
    await letTimePass(run);
    await expectAllMoved(bench, id, KEYS);
    expect(copiesMade(bench)).toBe(KEYS.length);
  });

  it("is not called recalled where its engine cannot be opened any more", async () => {
    const { reached, release } = stopAtCopy(61);
    const id = await submit();
    const crash = crashingLedger(bench.ledger, {
      method: "renew",
      moment: "before",
      when: () => external.sent > 0,
    });
    const run = work(id, { ledger: crash.ledger });
    await reached;
    await letTimePass(run);
    await bench.jobs.act(id, "cancel", "test");
    clock.advance(LEASE_OVER);
    await letTimePass(work(id, { consignmentEngines: {} }));
    expect(external.recalls).toBe(0);
    expect(await bench.jobs.get(id)).toMatchObject({ state: "cancelling", waiting: { reason: "engine" } });
    clock.advance(LEASE_OVER);
    await letTimePass(work(id));
    expect(external.recalls).toBe(1);
    expect(await bench.jobs.get(id)).toMatchObject({ state: "cancelled" });
    release();
  });

  it("is recalled when its window closes; in the next one the rest is sent, and nothing is copied twice", async () => {
    const { reached, release } = stopAtCopy(61);
    const now = new Date(clock.now());
    const at = (hours: number) => new Date(now.getTime() + hours * 3_600_000).toISOString().slice(11, 16);
    const open = [
      { from: at(-1), to: at(1) },
      { from: at(3), to: at(6) },
    ].map((hours) => ({ days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...hours }));
    const id = await submit({ windows: { timezone: "UTC", open, stages: ["copy"] } });
    const run = work(id);
    await reached;
    const [record] = await bench.ledger.consignments(id);
    expect(record?.notAfter).toBe(Math.floor((now.getTime() + 3_600_000) / 60_000) * 60_000);
    clock.advance(3_600_000);
    await until(() => {
      clock.advance(1_000);
      return external.recalls === 1;
    });
    await until(async () => {
      clock.advance(1_000);
      return (await bench.jobs.get(id)).waiting?.reason === "window";
    });
    release();
    clock.advance(2 * 3_600_000);
    await letTimePass(run);
    await expectAllMoved(bench, id, KEYS);
    expect(external.sent).toBe(2);
    expect(copiesMade(bench)).toBe(KEYS.length);
  });
});
