/** What a database says of its health, on real servers: threads, lock waits, replicas, rights. */

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { type Connection, createConnection, type RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { HealthSample } from "../../src/ports/database-health.ts";
import { type Database, openDatabase } from "../../src/stores/sql/open-database.ts";
import {
  createDatabase,
  isMysql,
  type StartedMariadb,
  sqlServer,
  startMariadb,
  type TestDatabase,
} from "../support/servers/mariadb.ts";
import { failureOf } from "./reference-table/reference-table-mariadb-setting.ts";

const LAG = { replicaLag: true } as const;
const NO_LAG = { replicaLag: false } as const;
const opened: Database[] = [];
const connections: Connection[] = [];

afterAll(async () => {
  await Promise.all(opened.map((database) => database.close()));
  await Promise.all(connections.map((connection) => connection.end().catch(() => {})));
});

/** The health of a database that is closed after the file's tests. */
function healthOf(url: string, replicas: readonly string[] = []) {
  const database = openDatabase("app", url, { replicas });
  opened.push(database);
  return database.health;
}

async function connect(url: string): Promise<Connection> {
  const connection = await createConnection(url);
  connections.push(connection);
  return connection;
}

/** Samples until `isRight`, at most ten seconds; the last sample. */
async function until(sample: () => Promise<HealthSample>, isRight: (sample: HealthSample) => boolean) {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const last = await sample();
    if (isRight(last) || Date.now() > deadline) return last;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

describe("a server", () => {
  let own: TestDatabase;
  beforeAll(async () => {
    own = await createDatabase(inject("mariadbUrl"));
  });
  afterAll(() => own.drop());

  test("shows the threads that run, and no lag where nothing replicates", async () => {
    const health = healthOf(own.url);
    const before = await health.sample(LAG);
    expect(before).toMatchObject({ replicaLagSeconds: null, replica: null, missingRights: [] });
    expect(before.threadsRunning).toBeGreaterThanOrEqual(1);
    const busy = await Promise.all(Array.from({ length: 12 }, () => connect(own.url)));
    const sleeping = busy.map((connection) => connection.query("SELECT SLEEP(2)"));
    const during = await until(
      () => health.sample(NO_LAG),
      ({ threadsRunning }) => (threadsRunning ?? 0) >= 13,
    );
    // Twelve that sleep in a statement, and the one that asks; other tests may be at work on the server.
    expect(during.threadsRunning).toBeGreaterThanOrEqual(13);
    await Promise.all(sleeping);
    const after = await until(
      () => health.sample(NO_LAG),
      ({ threadsRunning }) => (threadsRunning ?? 99) < 13,
    );
    expect(after.threadsRunning).toBeLessThan(13);
  });

  test("shows the transactions that wait for a row lock", async () => {
    const health = healthOf(own.url);
    const [holder, ...waiters] = await Promise.all(Array.from({ length: 4 }, () => connect(own.url)));
    await holder!.query("CREATE TABLE rows_locked (id INT PRIMARY KEY, n INT) ENGINE = InnoDB");
    await holder!.query("INSERT INTO rows_locked VALUES (1, 0)");
    await holder!.query("BEGIN");
    await holder!.query("UPDATE rows_locked SET n = 1 WHERE id = 1");
    const waiting = waiters.map((waiter) => waiter.query("UPDATE rows_locked SET n = n + 1 WHERE id = 1"));
    const during = await until(
      () => health.sample(NO_LAG),
      ({ lockWaits }) => (lockWaits ?? 0) >= 3,
    );
    expect(during.lockWaits).toBeGreaterThanOrEqual(3);
    await holder!.query("COMMIT");
    await Promise.all(waiting);
    const after = await until(
      () => health.sample(NO_LAG),
      ({ lockWaits }) => (lockWaits ?? 9) < 3,
    );
    expect(after.lockWaits).toBeLessThan(3);
  });

  test("that is asked by an account without the right names the right, and the GRANT that helps", async () => {
    const account = `plain_${randomBytes(4).toString("hex")}`;
    const admin = await connect(own.url);
    await admin.query(`CREATE USER ${account}@'%' IDENTIFIED BY 'weak'`);
    await admin.query(`GRANT SELECT ON \`${own.name}\`.* TO ${account}@'%'`);
    const url = new URL(own.url);
    [url.username, url.password] = [account, "weak"];
    const health = healthOf(url.href);
    expect(await health.sample(NO_LAG)).toMatchObject({ missingRights: [] });
    const sample = await health.sample(LAG);
    expect(sample.threadsRunning).toBeGreaterThanOrEqual(1);
    expect(sample.lockWaits).not.toBeNull();
    expect(sample).toMatchObject({ replicaLagSeconds: null, replica: null });
    const right = (await isMysql(own.url)) ? "REPLICATION CLIENT" : "SLAVE MONITOR";
    const [missing] = sample.missingRights;
    expect(sample.missingRights).toEqual([
      {
        ...{ measure: "replicaLagSeconds", server: "app", right },
        grant: `GRANT ${right} ON *.* TO '${account}'@'%'`,
      },
    ]);
    await admin.query(missing!.grant);
    // Rights are read when a connection is made.
    const again = await healthOf(url.href).sample(LAG);
    expect(again.missingRights).toEqual([]);
    await admin.query(`DROP USER ${account}@'%'`);
  });

  test("that is not there is an error; a replica that is not there is infinitely behind", async () => {
    const url = new URL(own.url);
    url.port = "1";
    expect((await failureOf(healthOf(url.href).sample(LAG))).code).toBe("database_unavailable");
    const sample = await healthOf(own.url, [url.href]).sample(LAG);
    expect(sample).toMatchObject({ replicaLagSeconds: Number.POSITIVE_INFINITY, missingRights: [] });
    expect(sample.replica?.trouble).toContain("replica 127.0.0.1:1 does not answer");
    expect(sample.threadsRunning).toBeGreaterThanOrEqual(1);
  });

  test("does not wait for a replica that takes connections and says nothing", async () => {
    const sockets: Socket[] = [];
    const mute = createServer((socket) => void sockets.push(socket)).listen(0, "127.0.0.1");
    await once(mute, "listening");
    const { port } = mute.address() as AddressInfo;
    const health = healthOf(own.url, [`mysql://u:p@127.0.0.1:${port}/app`]);
    const begun = performance.now();
    const sample = await health.sample(LAG);
    expect(performance.now() - begun).toBeLessThan(4000);
    expect(sample.replica?.trouble).toBe(`replica 127.0.0.1:${port} has not answered for 2 s`);
    expect(sample.replicaLagSeconds).toBe(Number.POSITIVE_INFINITY);
    expect(sample.threadsRunning).toBeGreaterThanOrEqual(1);
    for (const socket of sockets) socket.destroy();
    mute.close();
  });

  test("that is configured as a replica and replicates from nobody is infinitely behind", async () => {
    const sample = await healthOf(own.url, [own.url]).sample(LAG);
    const { host } = new URL(own.url);
    expect(sample.replicaLagSeconds).toBe(Number.POSITIVE_INFINITY);
    expect(sample.replica).toEqual({
      server: host,
      trouble: `replica ${host} replicates from no server`,
    });
  });
});

/** What MariaDB and MySQL (8.4 and later) call the two ends of replication. */
const WORDS = {
  mariadb: {
    ...{ change: "CHANGE MASTER", source: "MASTER", replica: "SLAVE", position: "SHOW MASTER STATUS" },
    credentials: "MASTER_USE_GTID = no",
  },
  mysql: {
    ...{ change: "CHANGE REPLICATION SOURCE", source: "SOURCE", replica: "REPLICA" },
    position: "SHOW BINARY LOG STATUS",
    credentials: "GET_SOURCE_PUBLIC_KEY = 1",
  },
};

describe("a pair of servers", () => {
  const { change, source, replica: end, position, credentials } = WORDS[sqlServer()];
  let primary: StartedMariadb;
  let replica: StartedMariadb;
  let own: TestDatabase;
  let onReplica: Connection;
  let replicaUrl: string;

  beforeAll(async () => {
    const lean = ["innodb_buffer_pool_size=32M", "loose_innodb_log_file_size=16M"];
    [primary, replica] = await Promise.all([
      startMariadb({ settings: [...lean, "skip_log_bin=0", "log_bin=binlog", "server_id=1"] }),
      startMariadb({ settings: [...lean, "server_id=2"] }),
    ]);
    onReplica = await connect(replica.url);
    const from = new URL(primary.url);
    // From its present end: both servers have accounts of their own, which must not be exchanged.
    const [[now]] = await (await connect(primary.url)).query<RowDataPacket[]>(position);
    await onReplica.query(
      `${change} TO ${source}_HOST = '127.0.0.1', ${source}_PORT = ${from.port}, ${source}_USER = '${from.username}',
       ${source}_PASSWORD = '${from.password}', ${source}_LOG_FILE = '${now!.File}',
       ${source}_LOG_POS = ${now!.Position}, ${source}_CONNECT_RETRY = 1, ${credentials}`,
    );
    await onReplica.query(`START ${end}`);
    own = await createDatabase(primary.url);
    replicaUrl = `${replica.url}/${own.name}`;
    for (let tries = 0; tries < 100; tries += 1) {
      const [rows] = await onReplica.query<RowDataPacket[]>(`SHOW DATABASES LIKE '${own.name}'`);
      if (rows.length > 0) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error("the replica does not replicate");
  });
  afterAll(() => Promise.all([primary?.dispose(), replica?.dispose()]));

  /** Sets how far behind the replica stays, in seconds. */
  async function delay(seconds: number): Promise<void> {
    await onReplica.query(`STOP ${end}`);
    await onReplica.query(`${change} TO ${source}_DELAY = ${seconds}`);
    await onReplica.query(`START ${end}`);
  }

  test("tells the replica's lag: none, some seconds, and infinite when its SQL thread is stopped", async () => {
    const health = healthOf(own.url, [replicaUrl]);
    const server = new URL(replica.url).host;
    const lag = (isRight: (seconds: number) => boolean) =>
      until(
        () => health.sample(LAG),
        ({ replicaLagSeconds }) => isRight(replicaLagSeconds ?? -1),
      );
    expect(await lag((seconds) => seconds === 0)).toMatchObject({
      ...{ replicaLagSeconds: 0, replica: { server, trouble: null }, missingRights: [] },
    });

    await delay(60);
    const onPrimary = await connect(own.url);
    await onPrimary.query("CREATE TABLE late (id INT PRIMARY KEY)");
    const late = await lag((seconds) => seconds >= 2 && Number.isFinite(seconds));
    expect(late.replicaLagSeconds).toBeGreaterThanOrEqual(2);
    expect(late.replicaLagSeconds).toBeLessThan(30);

    await onReplica.query(`STOP ${end} SQL_THREAD`);
    expect(await lag((seconds) => seconds === Number.POSITIVE_INFINITY)).toMatchObject({
      replicaLagSeconds: Number.POSITIVE_INFINITY,
      replica: { server, trouble: `replication on ${server} is stopped or broken (its lag is NULL)` },
    });

    await delay(0);
    expect((await lag((seconds) => seconds === 0)).replicaLagSeconds).toBe(0);
  });

  test("asked at the replica itself tells its own lag", async () => {
    const health = healthOf(replicaUrl);
    await onReplica.query(`STOP ${end}`);
    const stopped = await health.sample(LAG);
    expect(stopped.replicaLagSeconds).toBe(Number.POSITIVE_INFINITY);
    expect(stopped.replica?.server).toBe("app");
    await onReplica.query(`START ${end}`);
    const well = await until(
      () => health.sample(LAG),
      ({ replicaLagSeconds }) => replicaLagSeconds === 0,
    );
    expect(well.replicaLagSeconds).toBe(0);
  });

  test("tells the worst of several replicas and channels", async () => {
    // A second channel of the same replica, which is never started.
    await onReplica.query(
      `${change} TO ${source}_HOST = '127.0.0.1', ${source}_PORT = 1, ${source}_USER = 'x' FOR CHANNEL 'idle'`,
    );
    expect((await healthOf(own.url, [replicaUrl]).sample(LAG)).replicaLagSeconds).toBe(
      Number.POSITIVE_INFINITY,
    );
    await onReplica.query(`RESET ${end} ALL FOR CHANNEL 'idle'`);
    const both = healthOf(own.url, [replicaUrl, own.url]);
    const sample = await both.sample(LAG);
    expect(sample.replica?.server).toBe(new URL(own.url).host);
    expect(sample.replicaLagSeconds).toBe(Number.POSITIVE_INFINITY);
  });
});
