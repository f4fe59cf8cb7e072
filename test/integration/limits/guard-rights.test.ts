/** A right that a guard lacks: preflight names it, the job waits for it, and goes on once it is given, without a new process. */

import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { app, database, databaseForEach } from "../../support/servers/own-database.ts";
import {
  fillStore,
  IMAGES,
  imageKeys,
  openWorkbench,
  type Workbench,
} from "../../support/worlds/workbench.ts";

const KEYS = imageKeys(20);
let account: string;
let bench: Workbench;

databaseForEach();
beforeEach(async () => {
  await app.query("CREATE TABLE images (id INT AUTO_INCREMENT PRIMARY KEY, path VARCHAR(200), KEY (path))");
  await app.query("INSERT INTO images (path) VALUES ?", [KEYS.map((key) => [key])]);
  account = `blind_${randomBytes(4).toString("hex")}`;
  await app.query(`CREATE USER ${account}@'%' IDENTIFIED BY 'plain'`);
  await app.query(`GRANT SELECT ON ${database.name}.* TO ${account}@'%'`);
  await app.query(`GRANT UPDATE ON ${database.name}.images TO ${account}@'%'`);
  const url = new URL(database.url);
  Object.assign(url, { username: account, password: "plain" });
  bench = await openWorkbench({ appUrl: url.href });
  fillStore(bench.store, "bucket-a", KEYS);
});
afterEach(async () => {
  await bench.close();
  await app.query(`DROP USER ${account}@'%'`);
});

const guards = (more = {}) => ({ guards: { database: { maxReplicaLagSeconds: 5, ...more } } });
const grant = () => app.query(`GRANT SLAVE MONITOR ON *.* TO ${account}@'%'`);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Submits the job and lets it run until it waits for its database; gives its id and its end. */
async function waitingJob() {
  const id = await bench.submit(guards());
  const worked = bench.work(id);
  await expect
    .poll(async () => (await bench.jobs.get(id)).waiting, { timeout: 15_000 })
    .toMatchObject({ reason: "database", detail: expect.stringContaining("GRANT SLAVE MONITOR ON *.* TO") });
  return { id, worked };
}

describe("an account that may not read what a guard needs", () => {
  it("preflight says so, with the statement that gives the right, and no more once it is given", async () => {
    const job = {
      source: { bucket: "bucket-a", prefix: "image/" },
      target: { bucket: "bucket-b", prefix: "avatar/" },
    };
    const ask = async (more = {}) => {
      const input = { ...job, references: [IMAGES], ...guards(more) };
      const { problems } = await bench.jobs.preflight(input, { canary: false });
      return problems.filter(({ code }) => code === "guard_unreadable");
    };
    const wanted = {
      code: "guard_unreadable",
      examples: [`GRANT SLAVE MONITOR ON *.* TO '${account}'@'%'`],
      message: expect.stringMatching(/maxReplicaLagSeconds.*database "app".*SLAVE MONITOR/),
    };
    expect(await ask()).toMatchObject([{ ...wanted, severity: "error" }]);
    expect(await ask({ onUnknown: "go" })).toMatchObject([{ ...wanted, severity: "warning" }]);
    expect(await ask({ maxReplicaLagSeconds: null, maxThreadsRunning: 999 })).toEqual([]);
    await grant();
    expect(await ask()).toEqual([]);
  });

  it("the job waits, and goes on within a minute of the GRANT", async () => {
    const { worked } = await waitingJob();
    await grant();
    const done = await worked;
    expect(done.state).toBe("completed");
    expect(bench.store.listKeys("bucket-a")).toEqual([]);
  });

  it("paused, granted and resumed, it goes on at once", async () => {
    const { id, worked } = await waitingJob();
    await bench.jobs.act(id, "pause", "test");
    expect((await worked).state).toBe("paused");
    await grant();
    await bench.jobs.act(id, "resume", "test");
    const resumedAt = performance.now();
    expect((await bench.work(id)).state).toBe("completed");
    expect(performance.now() - resumedAt).toBeLessThan(8000);
  });

  it("a right to the rows that came after a refusal is noticed by the next run as well", async () => {
    await grant();
    await app.query(`REVOKE UPDATE ON ${database.name}.images FROM ${account}@'%'`);
    const id = await bench.submit();
    const refused = await bench.work(id);
    expect(refused.state).not.toBe("completed");
    await app.query(`GRANT UPDATE ON ${database.name}.* TO ${account}@'%'`);
    await pause(100);
    const action = refused.state === "failed" ? "retry" : "resume";
    await bench.jobs.act(id, action, "test");
    expect((await bench.work(id)).state).toBe("completed");
  });
});
