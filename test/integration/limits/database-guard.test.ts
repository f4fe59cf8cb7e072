/** The guards on a real database: statements wait while it is busy, with the value and the limit, and go on after. */

import { type Connection, createConnection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { DatabaseLimits } from "../../../src/domain/job-spec.ts";
import { DatabaseGuards } from "../../../src/pacing/database/database-guards.ts";
import { InFlight } from "../../../src/pacing/in-flight.ts";
import type { Connections } from "../../../src/ports/connections.ts";
import { openConnections } from "../../../src/stores/open-connections.ts";
import { systemClock } from "../../../src/stores/system-clock.ts";
import { createDatabase, type TestDatabase } from "../../support/servers/mariadb.ts";
import { IMAGES } from "../../support/worlds/workbench.ts";

const LIMITS: DatabaseLimits = {
  maxThreadsRunning: 30,
  maxReplicaLagSeconds: null,
  maxLockWaits: null,
  onUnknown: "hold",
};
const REFERENCE = { ...IMAGES, set: {}, urlPrefix: null, where: {}, keepUpdatedAt: true };
let own: TestDatabase;
let connections: Connections;
const busy: Connection[] = [];

beforeAll(async () => {
  own = await createDatabase(inject("mariadbUrl"));
  connections = openConnections({ stores: {}, databases: { app: own.url } });
  for (let nth = 0; nth < 40; nth += 1) busy.push(await createConnection(own.url));
  await busy[0]!.query("CREATE TABLE images (id INT PRIMARY KEY, path VARCHAR(100), KEY (path))");
  await busy[0]!.query("INSERT INTO images VALUES (1, 'image/1'), (2, 'image/2')");
});
afterAll(async () => {
  await Promise.all(busy.map((connection) => connection.end()));
  await connections.close();
  await own.drop();
});

/** The guarded table, its guards, and the statements it has sent. */
function guardedTable(limits: DatabaseLimits | null) {
  const statements: Record<string, number> = {};
  const guards = new DatabaseGuards({
    ...{ clock: systemClock, limits, observations: () => () => null, signal: new AbortController().signal },
    health: (database) => connections.health(database),
    onMissingRight: () => {},
  });
  return {
    guards,
    statements,
    table: guards.guarded(connections.reference(REFERENCE, statements), "update", {
      inFlight: new InFlight(Date.now),
    }),
  };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const occupied = (seconds: number) =>
  Promise.all(busy.map((connection) => connection.query(`SELECT SLEEP(${seconds})`)));

describe("a busy database", () => {
  it("gets no statement until it has calmed down, and the reason is shown meanwhile", async () => {
    const { table, guards, statements } = guardedTable(LIMITS);
    expect(await table.findRows(["image/1"])).toEqual([{ id: "1", value: "image/1" }]);
    const before = statements.app;
    let isCalm = false;
    const calming = occupied(3).then(() => {
      isCalm = true;
    });
    await pause(1200);
    const rewriting = table.rewrite(["image/1", "image/2"], { from: "image/", to: "avatar/" });
    await pause(1000);
    expect(guards.waiting).toMatchObject({ reason: "database", until: null });
    expect(guards.waiting?.detail).toMatch(/^database "app": Threads_running is 4\d, the limit is 30$/);
    expect(statements.app).toBe(before);
    expect(isCalm).toBe(false);
    expect((await rewriting).rows).toBe(2);
    expect(isCalm).toBe(true);
    expect(guards.waiting).toBeNull();
    await calming;
  });

  it("gets statements at once when the limits are raised or the guard is taken away", async () => {
    for (const limits of [{ ...LIMITS, maxThreadsRunning: 4000 }, null]) {
      const { table, guards } = guardedTable(LIMITS);
      const calming = occupied(2.5);
      await pause(100);
      const reading = table.findRows(["avatar/1"]);
      await pause(700);
      expect(guards.waiting?.reason).toBe("database");
      guards.setLimits(limits);
      const begun = performance.now();
      expect(await reading).toHaveLength(1);
      expect(performance.now() - begun).toBeLessThan(1000);
      await calming;
    }
  });
});
