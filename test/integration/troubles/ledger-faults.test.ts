/** The ledger on a MariaDB that fails: lost answers, refused connections, deadlocks, claims at the same moment. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createConnection } from "mysql2/promise";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import type { Ledger } from "../../../src/ports/ledger.ts";
import { openLedger } from "../../../src/stores/ledger/open-ledger.ts";
import {
  addKeys,
  claimedJob,
  endStage,
  failKey,
  LEASE_MS,
  objectsOf,
  outcomeOf,
  REPORT,
  specOf,
  T0,
} from "../../contract/ledger/ledger-fixtures.ts";
import { type Wire, wireTo } from "../../contract/ledger/ledger-wire.ts";
import { createDatabase, type TestDatabase } from "../../support/servers/mariadb.ts";

let database: TestDatabase;
let wire: Wire;
let ledger: Ledger;

beforeEach(async () => {
  database = await createDatabase(inject("mariadbUrl"));
  wire = await wireTo(database.url);
  ledger = await openLedger(wire.url);
});
afterEach(async () => {
  await ledger.close().catch(() => undefined);
  await wire.cut();
  await database.drop();
});

describe("an answer that is lost", () => {
  test("does not plan a batch twice", async () => {
    const lease = await claimedJob(ledger);
    await addKeys(ledger, lease, "a");
    wire.loseAnswerTo("INSERT INTO tranship_batches");
    expect(await addKeys(ledger, lease, "b")).toMatchObject({ seq: 2 });
    expect(wire.lost).toBe(true);
    expect(await addKeys(ledger, lease, "c")).toMatchObject({ seq: 3 });
    expect(await ledger.tally(lease.jobId)).toMatchObject({ planned: 3 });
  });

  test("does not plan a batch with exceptions twice", async () => {
    const lease = await claimedJob(ledger);
    const outcome = { kind: "exception", code: "key_invalid", message: "no" } as const;
    const objects = objectsOf("a", "b").map((object) => ({ ...object, outcome }));
    wire.loseAnswerTo("COMMIT");
    expect(await ledger.addBatch(lease, { objects, cursor: "" }, T0)).toMatchObject({ seq: 1 });
    expect(wire.lost).toBe(true);
    expect((await ledger.exceptions(lease.jobId, null, 10)).items).toHaveLength(2);
    expect(await ledger.tally(lease.jobId)).toMatchObject({ planned: 2, exceptions: 2 });
  });

  test("does not count a stage's rows and attempts twice", async () => {
    const lease = await claimedJob(ledger);
    const batch = await addKeys(ledger, lease, "a", "b");
    for (const stage of ["copy", "verify"] as const) await endStage(ledger, lease, batch, stage);
    wire.loseAnswerTo("UPDATE tranship_batches");
    await ledger.recordStage(lease, outcomeOf(batch, "update", { rows: 2 }));
    expect(wire.lost).toBe(true);
    failKey(batch, "a");
    wire.loseAnswerTo("COMMIT");
    await ledger.recordStage(lease, outcomeOf(batch, "delete"));
    expect(wire.lost).toBe(true);
    const { items } = await ledger.batches(lease.jobId, null, 10);
    expect(items).toMatchObject([{ rowsUpdated: 2, update: { attempts: 1 }, delete: { attempts: 1 } }]);
    expect((await ledger.exceptions(lease.jobId, null, 10)).items).toHaveLength(1);
  });

  test("does not make a job twice, nor lose a claim or a release", async () => {
    wire.loseAnswerTo("COMMIT");
    const request = { spec: specOf(), idempotencyKey: "once", actor: "ci", at: T0 };
    const { job, created } = await ledger.createJob(request);
    expect([created, wire.lost]).toEqual([true, true]);
    wire.loseAnswerTo("COMMIT");
    const lease = await ledger.claim(job.id, "runner", T0, LEASE_MS);
    expect([lease?.token, wire.lost]).toEqual([1, true]);
    const end = { state: "paused", reason: null, waiting: null, report: REPORT } as const;
    wire.loseAnswerTo("lease_owner = NULL");
    await ledger.release(lease!, end, T0 + 1);
    expect(wire.lost).toBe(true);
    expect(await ledger.job(job.id)).toMatchObject({ state: "paused", version: 3 });
    expect((await ledger.jobs({ states: null, limit: 9, cursor: null })).items).toHaveLength(1);
  });
});

test("a server that is gone is told as such, without a password", async () => {
  const lease = await claimedJob(ledger);
  await addKeys(ledger, lease, "a");
  await wire.cut();
  const failed = await addKeys(ledger, lease, "b").catch((error: unknown) => error);
  expect(failed).toMatchObject({ code: "ledger_unavailable", details: { code: "ECONNREFUSED" } });
  const shown = JSON.stringify(failed, [...Object.getOwnPropertyNames(failed), "stack", "message", "cause"]);
  expect(shown).not.toContain(new URL(database.url).password);
  const refused = await openLedger(wire.url).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: "ledger_unavailable" });
});

test("the batch of a call that failed for good, though it was recorded, is recognised when it is given again", async () => {
  const lease = await claimedJob(ledger);
  await addKeys(ledger, lease, "a");
  wire.loseAnswerTo("INSERT INTO tranship_batches");
  const failing = addKeys(ledger, lease, "b").catch((error: unknown) => error);
  while (!wire.lost) await new Promise((soon) => setTimeout(soon, 1));
  const { port } = new URL(wire.url);
  await wire.cut();
  expect(await failing).toMatchObject({ code: "ledger_unavailable" });
  // The server is back, at the same address.
  const back = createServer((client) => {
    const upstream = connect(Number(new URL(database.url).port), "127.0.0.1");
    client.pipe(upstream).pipe(client);
    client.on("error", () => upstream.destroy());
    upstream.on("error", () => client.destroy());
  });
  await new Promise<void>((ready) => back.listen(Number(port), "127.0.0.1", ready));
  expect(await addKeys(ledger, lease, "b")).toMatchObject({ seq: 2 });
  expect(await addKeys(ledger, lease, "c")).toMatchObject({ seq: 3 });
  expect(await ledger.tally(lease.jobId)).toMatchObject({ planned: 3 });
  await ledger.close();
  await new Promise((done) => back.close(done));
});

test("a wrong password is told without it", async () => {
  const url = new URL(database.url);
  url.password = "hunter2";
  const refused = await openLedger(url.href).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: "ledger_unavailable", details: { code: "ER_ACCESS_DENIED_ERROR" } });
  expect(JSON.stringify(refused, ["message", "cause", "stack", "details"])).not.toContain("hunter2");
});

test("a file that cannot be opened, or is no ledger, is told as such", async () => {
  const directory = mkdtempSync(join(tmpdir(), "tranship-ledger-"));
  const file = join(directory, "notes.txt");
  writeFileSync(file, "Not a database, and not to become one.\n".repeat(100));
  for (const [path, code] of [[file, "SQLITE_NOTADB"] as const, [join(file, "x.db"), "EEXIST"] as const]) {
    const refused = await openLedger(`sqlite:${path}`).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "ledger_unavailable", details: { code } });
  }
  rmSync(directory, { recursive: true });
});

test("a write waits for a claim that is being made, and then fails at the fence", async () => {
  const lease = await claimedJob(ledger);
  const batch = await addKeys(ledger, lease, "a");
  const other = await createConnection(database.url);
  await other.query("START TRANSACTION");
  await other.query("UPDATE tranship_jobs SET fencing_token = fencing_token + 1 WHERE id = ?", [lease.jobId]);
  const settled: string[] = [];
  const lost = [
    ledger.recordStage(lease, outcomeOf(batch, "copy")),
    addKeys(ledger, lease, "b"),
    ledger.planFinished(lease, T0),
  ].map((write) =>
    write
      .then(
        () => "written",
        (error: unknown) => (error as { code: string }).code,
      )
      .then((how) => {
        settled.push(how);
        return how;
      }),
  );
  await new Promise((soon) => setTimeout(soon, 300));
  expect(settled).toEqual([]);
  await other.query("COMMIT");
  expect(await Promise.all(lost)).toEqual(["lease_lost", "lease_lost", "lease_lost"]);
  await other.end();
});

test("a deadlock is repeated", async () => {
  const lease = await claimedJob(ledger);
  const batch = await addKeys(ledger, lease, "a");
  const other = await createConnection(database.url);
  // Heavy, so that the server ends the ledger's transaction and not this one.
  await other.query("START TRANSACTION");
  await other.query(
    "INSERT INTO tranship_audit_events (job_id, happened_at, actor, action, detail) SELECT 'x', 0, '', '', '' FROM seq_1_to_2000",
  );
  await other.query("SELECT 1 FROM tranship_batches WHERE job_id = ? FOR UPDATE", [lease.jobId]);
  failKey(batch, "a");
  const written = ledger.recordStage(lease, outcomeOf(batch, "copy"));
  await new Promise((soon) => setTimeout(soon, 100));
  await other.query("UPDATE tranship_jobs SET updated_at = updated_at + 1 WHERE id = ?", [lease.jobId]);
  await other.query("COMMIT");
  await written;
  expect(await ledger.tally(lease.jobId)).toMatchObject({ exceptions: 1 });
  await other.end();
});
