/** Every state of a job × everything an operator may do, against the table a reviewer reads; each twice. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { JOB_ACTIONS, JOB_STATES, type JobState, transitionFor } from "../../src/domain/job-state.ts";
import type { AuditEvent, Lease } from "../../src/ports/ledger.ts";
import { noRequests } from "../../src/ports/object-store.ts";
import { HandClock } from "../support/clocks/hand-clock.ts";
import { fillStore, imageKeys, openWorkbench, type Workbench } from "../support/worlds/workbench.ts";

/** What the table in `src/domain/job-state.ts` promises, written out again: a slip in either shows. */
const TABLE: Readonly<Record<JobState, readonly [string, string, string, string, string, string]>> = {
  //                          pause      resume    cancel        retry     approve  PATCH
  queued: ["paused", "same", "cancelled", "same", "same", "yes"],
  running: ["pausing", "same", "cancelling", "same", "same", "yes"],
  waiting: ["pausing", "same", "cancelling", "same", "same", "yes"],
  pausing: ["same", "queued", "cancelling", "409", "same", "yes"],
  paused: ["same", "queued", "cancelled", "queued", "same", "yes"],
  cancelling: ["409", "409", "same", "409", "409", "409"],
  cancelled: ["409", "409", "same", "409", "409", "409"],
  completed: ["409", "409", "409", "same", "same", "409"],
  completed_with_exceptions: ["409", "409", "409", "queued", "same", "yes"],
  failed: ["409", "queued", "cancelled", "queued", "same", "yes"],
};

/** How a job comes into each state, by an operator's actions or by what its runner reports. */
const WAITING = { reason: "window", since: 1, until: 2, detail: "outside its windows" } as const;

let bench: Workbench;
let clock: HandClock;
let before: readonly AuditEvent[] = [];
let place = 0;

beforeAll(async () => {
  clock = new HandClock();
  bench = await openWorkbench({ clock });
  fillStore(bench.store, "bucket-a", imageKeys(1));
});
afterAll(() => bench.close());
/** A job of its own keys in `state`, and its lease. */
async function jobIn(state: JobState): Promise<string> {
  place += 1;
  const prefix = `image/${place}/`;
  bench.store.putObject("bucket-a", `${prefix}1.png`, "x");
  const source = { bucket: "bucket-a", prefix };
  const id = await bench.submit({
    source,
    target: { bucket: "bucket-b", prefix: `avatar/${place}/` },
    references: [],
    delete: { when: "approved", after: "0s" },
  });
  if (state === "paused" || state === "cancelled") {
    await bench.jobs.act(id, state === "paused" ? "pause" : "cancel", "setup");
  } else if (state !== "queued") {
    const lease = await bench.ledger.claim(id, "somebody", clock.now(), 10_000);
    if (lease === null) throw new Error("the job was not free");
    await bring(lease, state);
  }
  before = await auditOf(id);
  expect((await bench.jobs.get(id)).state).toBe(state);
  return id;
}

async function bring(lease: Lease, state: JobState): Promise<void> {
  const report = { requests: noRequests(), statements: {}, activeMs: 0, clockLagMs: 0 };
  if (state === "running" || state === "waiting") {
    const waiting = state === "waiting" ? WAITING : null;
    await bench.ledger.renew(lease, { state, waiting, ...report }, clock.now(), 10_000);
  } else if (state === "pausing" || state === "cancelling") {
    await bench.jobs.act(lease.jobId, state === "pausing" ? "pause" : "cancel", "setup");
  } else {
    await bench.ledger.release(lease, { state, reason: "setup", waiting: null, report }, clock.now());
  }
}

async function auditOf(id: string): Promise<readonly AuditEvent[]> {
  return (await bench.jobs.audit(id, { cursor: null, limit: 1000 })).items;
}

/** What was recorded since the job was brought into its state. */
async function recorded(id: string): Promise<readonly AuditEvent[]> {
  const known = new Set(before.map((event) => event.id));
  return (await auditOf(id)).filter((event) => !known.has(event.id));
}

const CELLS = JOB_STATES.flatMap((state) =>
  JOB_ACTIONS.map((action, at) => [state, action, TABLE[state][at] as string] as const),
);

describe("every state and every action", () => {
  it.each(CELLS)("%s, %s: %s", async (state, action, answer) => {
    const known = transitionFor(action, state);
    expect(known === null ? "409" : known === "same" ? "same" : known.go).toBe(answer);
    const id = await jobIn(state);
    const at = clock.now();
    const act = () => bench.jobs.act(id, action, "ann");
    if (answer === "409") {
      for (let times = 0; times < 2; times += 1) {
        await expect(act()).rejects.toMatchObject({ code: "state_conflict", details: { state, action } });
      }
      expect((await bench.jobs.get(id)).state).toBe(state);
      expect(await recorded(id)).toEqual([]);
      return;
    }
    const first = await act();
    expect(first.state).toBe(answer === "same" ? state : answer);
    const second = await act();
    expect(second).toEqual({ ...first, seconds: second.seconds });
    const changes = answer !== "same" || action === "approve";
    const events = await recorded(id);
    expect(events.map(({ actor, action: verb }) => [actor, verb])).toEqual(changes ? [["ann", action]] : []);
    for (const event of events) {
      expect(event.at).toBeGreaterThanOrEqual(at);
      expect(event.at).toBeLessThanOrEqual(clock.now());
    }
    expect(first.approvedBy).toBe(action === "approve" ? "ann" : null);
  });

  it.each(JOB_STATES)("%s, PATCH", async (state) => {
    const answer = TABLE[state][5];
    const id = await jobIn(state);
    const amend = () =>
      bench.jobs.amend(id, { limits: { concurrency: 7 } }, { ifVersions: null, actor: "ann" });
    if (answer === "409") {
      for (let times = 0; times < 2; times += 1) {
        await expect(amend()).rejects.toMatchObject({ code: "state_conflict", details: { state } });
      }
      expect(await recorded(id)).toEqual([]);
      return;
    }
    const first = await amend();
    expect(first).toMatchObject({ state, spec: { limits: { concurrency: 7 } } });
    const second = await amend();
    expect(second).toEqual({ ...first, seconds: second.seconds });
    const events = await recorded(id);
    expect(events).toMatchObject([{ actor: "ann", action: "amend" }]);
    expect(events[0]?.detail).toMatch(/^limits: \{.*"concurrency":128.*\} to \{.*"concurrency":7.*\}$/);
  });
});
