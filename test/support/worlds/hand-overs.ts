/** Takes jobs from one instance to the other again and again, and checks what became of them from outside. */

import type { RowDataPacket } from "mysql2/promise";
import { expect } from "vitest";
import {
  CONCURRENCY,
  type InstanceName,
  type InstancesWorld,
  untilTakenOver,
  userName,
  type Write,
} from "./instances-world.ts";
import { movedKey, pause } from "./sandbox-world.ts";
import { imageKeys } from "./workbench.ts";

/** Slow enough that the work outlasts the hand-overs; lifted after them. */
const SLOW_MS = 100;

export interface HandOver {
  readonly how: "SIGKILL" | "SIGSTOP";
  readonly from: InstanceName;
  /** From the signal until another process had all leases, ms. */
  readonly tookMs: number;
}

interface Claim {
  readonly at: number;
  readonly by: InstanceName;
  readonly token: number;
}

/**
 * Kills (-9) or stops the owner of jobs `ids` `times` times, at a random moment of its work. A killed one is started again,
 * a stopped one is woken a moment after the other has taken over. The store is quick again at the end.
 */
export async function handOver(
  world: InstancesWorld,
  ids: readonly string[],
  times: number,
): Promise<readonly HandOver[]> {
  world.store.faults.latencyMs = SLOW_MS;
  const done: HandOver[] = [];
  while (done.length < times) {
    // Whoever works on the first job also gets, or has, the others sooner or later: all of them change hands.
    await untilTakenOver(world, ids, 0);
    await pause(100 + Math.random() * 800);
    const { pid, state } = await world.holder(ids[0] ?? "");
    if (pid === null) throw new Error(`the job is ${state} after ${done.length} hand-overs: too few objects`);
    const from = world.nameOf(pid);
    const how = done.length % 4 < 2 ? "SIGKILL" : "SIGSTOP";
    const ended = world.running(from).kill(how);
    const tookMs = await untilTakenOver(world, ids, pid);
    done.push({ how, from, tookMs });
    if (how === "SIGKILL") {
      await ended;
      await world.start(from);
    } else {
      await pause(Math.random() * 500);
      void world.running(from).kill("SIGCONT");
    }
  }
  world.store.faults.latencyMs = 1;
  return done;
}

/** Every object and every row of the job called `name` is where it belongs, and each got there once, by who might. */
export async function expectMovedOnce(
  world: InstancesWorld,
  job: { readonly name: string; readonly id: string; readonly count: number },
  handOvers: number,
): Promise<void> {
  const { store, app, ledger } = world;
  const { name, id, count } = job;
  const keys = imageKeys(count);
  expect(store.listKeys(`${name}-a`)).toEqual([]);
  expect(store.listKeys(`${name}-b`)).toEqual(keys.map(movedKey));
  const foreign = keys.filter(
    (key) => store.getObject(`${name}-b`, movedKey(key))?.read().toString() !== `body of ${key}`,
  );
  expect(foreign).toEqual([]);
  const [rows] = await app.query<RowDataPacket[]>(`SELECT path FROM ${name} ORDER BY id`);
  expect(rows.map((row) => row.path)).toEqual(keys.map(movedKey));
  const [changes] = await app.query<RowDataPacket[]>(
    `SELECT row_id, at, who FROM ${name}_changes ORDER BY row_id`,
  );
  expect(
    changes.map((change) => change.row_id),
    "each row was changed once",
  ).toEqual(keys.map((_, index) => index + 1));

  const claims = await claimsOf(world, id);
  expect(
    claims.map(({ token }) => token),
    "one claim after the other",
  ).toEqual(claims.map((_, index) => index + 1));
  const strangers = (writes: readonly Omit<Write, "what">[]) =>
    writes.flatMap((write) => {
      const claim = claims.findLast(({ at }) => at <= write.at);
      return claim?.by === write.by ? [] : [{ ...write, afterClaimMs: write.at - (claim?.at ?? 0), claim }];
    });
  expect(strangers(changes.map(({ at, who }) => ({ at, by: userName(who) })))).toEqual([]);
  expect(strangers(world.storeWrites(name))).toEqual([]);
  // Without those by which each instance finds out whether the store keeps to conditions.
  const found = store.requests.errors("PreconditionFailed", `${name}-b`);
  const copies = store.requests.count("CopyObject", `${name}-b`) - found;
  expect(copies, "only what was under way was copied again").toBeLessThanOrEqual(
    count + handOvers * CONCURRENCY,
  );
  await expectLedger(world, id, count);
  const [steps] = await ledger.query<RowDataPacket[]>(
    "SELECT seq, before_state, after_state, who, holder FROM batch_steps WHERE job_id = ?",
    [id],
  );
  const wrongHand = steps.filter(
    ({ who, holder }) => world.nameOf(Number(holder?.split("/").at(-2))) !== userName(who),
  );
  expect(wrongHand, "whoever wrote to the ledger had the lease").toEqual([]);
  const forward = steps.filter((step) => step.before_state !== step.after_state);
  const distinct = new Set(forward.map((step) => `${step.seq} ${step.after_state}`));
  expect(forward, "each batch ended each stage once").toHaveLength(distinct.size);
}

async function expectLedger(world: InstancesWorld, id: string, count: number): Promise<void> {
  const { body } = await world.running("left").call("GET", `/jobs/${id}`);
  expect(body).toMatchObject({ state: "completed", rows: { updated: count } });
  expect(body.objects).toMatchObject({ planned: count, moved: count, skipped: 0, exceptions: 0 });
  const [[sums]] = await world.ledger.query<RowDataPacket[]>(
    `SELECT CAST(SUM(planned) AS INT) planned, CAST(SUM(moved) AS INT) moved,
       CAST(SUM(rows_updated) AS INT) rows_updated, CAST(SUM(state <> 'done') AS INT) open
     FROM tranship_batches WHERE job_id = ?`,
    [id],
  );
  expect(sums).toEqual({ planned: count, moved: count, rows_updated: count, open: 0 });
}

/** The audit's claims in order, with the instance behind each. */
export async function claimsOf(world: InstancesWorld, id: string): Promise<readonly Claim[]> {
  const claims: Claim[] = [];
  for (let cursor: string | null = null; ; ) {
    const query: string = cursor === null ? "" : `&cursor=${cursor}`;
    const { body } = await world.running("left").call("GET", `/jobs/${id}/audit?limit=100${query}`);
    for (const { action, actor, at, detail } of body.items) {
      if (action !== "claim") continue;
      const by = world.nameOf(Number(actor.split("/").at(-2)));
      claims.push({ at: Date.parse(at), by, token: Number(detail.replace("token ", "")) });
    }
    if (body.next === null) return claims;
    cursor = body.next;
  }
}
