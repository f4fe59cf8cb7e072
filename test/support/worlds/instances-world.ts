/** Two real `serve` processes on one MariaDB ledger, each known to store and databases by a name of its own. */

import { type Connection, createConnection, type RowDataPacket } from "mysql2/promise";
import { inject } from "vitest";
import { header } from "../../../src/sandbox-s3/protocol/s3-request.ts";
import { type SandboxStore, startSandboxStore } from "../../../src/sandbox-s3/sandbox-store.ts";
import { createDatabase } from "../servers/mariadb.ts";
import { type Service, startService, temporaryDirectory } from "../service.ts";
import { KEYS, pause } from "./sandbox-world.ts";
import { fillStore, imageKeys } from "./workbench.ts";

export type InstanceName = "left" | "right";

/** A change that an instance made, as the other side saw it. */
export interface Write {
  readonly by: InstanceName;
  /** Epoch ms. */
  readonly at: number;
  readonly what: string;
}

/** Who has the lease of a job, by the ledger's own columns. */
export interface Holder {
  readonly owner: string | null;
  readonly pid: number | null;
  readonly isLive: boolean;
  readonly state: string;
}

export interface InstancesWorld {
  readonly store: SandboxStore;
  readonly ledger: Connection;
  readonly app: Connection;
  /** The configuration of an instance, without a port. */
  config(name: InstanceName): Record<string, unknown>;
  readonly directory: string;
  /** Starts an instance (again). */
  start(name: InstanceName): Promise<Service>;
  running(name: InstanceName): Service;
  /** The instance that process `pid` is or was. */
  nameOf(pid: number): InstanceName;
  /** Submits a job with `count` objects and rows of its own to an instance; what it touches is called `name`. */
  submit(name: string, count: number, to?: InstanceName): Promise<string>;
  holder(id: string): Promise<Holder>;
  /** Requests so far that write to the buckets of `name`. */
  storeWrites(name: string): readonly Write[];
  close(): Promise<void>;
}

const NAMES: readonly InstanceName[] = ["left", "right"];
export const CONCURRENCY = 16;
const NOW_MS = "ROUND(UNIX_TIMESTAMP(SYSDATE(6)) * 1000)";

/** Opens the world; `leaseSeconds` undefined leaves the default, `limits` are the store's. No instance runs yet. */
export async function openInstancesWorld(
  leaseSeconds?: number,
  limits?: Record<string, number>,
): Promise<InstancesWorld> {
  const directory = temporaryDirectory();
  const server = inject("mariadbUrl");
  const [ledgerPlace, appPlace] = [await createDatabase(server), await createDatabase(server)];
  const ledger = await createConnection(ledgerPlace.url);
  const app = await createConnection(appPlace.url);
  const store = await startSandboxStore(KEYS);
  const userOf = (name: InstanceName) => `${name}_${ledgerPlace.name}`;
  for (const name of NAMES) {
    await ledger.query(`CREATE USER '${userOf(name)}'@'%' IDENTIFIED BY 'secret-of-${name}'`);
    for (const { name: schema } of [ledgerPlace, appPlace]) {
      await ledger.query(`GRANT ALL ON ${schema}.* TO '${userOf(name)}'@'%'`);
    }
    store.credentials.grant({ accessKeyId: `key-of-${name}`, secretAccessKey: `secret-of-${name}` });
  }
  const urlFor = (url: string, name: InstanceName) => {
    const own = new URL(url);
    own.username = userOf(name);
    own.password = `secret-of-${name}`;
    return own.href;
  };
  const writes = watchWrites(store);
  const services = new Map<InstanceName, Service>();
  const pids = new Map<number, InstanceName>();
  const all: Service[] = [];
  const world: InstancesWorld = {
    store,
    ledger,
    app,
    directory: directory.path,
    config: (name) => ({
      progress: urlFor(ledgerPlace.url, name),
      databases: { app: urlFor(appPlace.url, name) },
      stores: {
        main: {
          ...{ accessKeyId: `key-of-${name}`, secretAccessKey: `secret-of-${name}` },
          ...{ endpoint: store.url, region: "us-east-1", forcePathStyle: true },
          ...(limits === undefined ? {} : { limits }),
        },
      },
      logLevel: "warn",
      ...(leaseSeconds === undefined ? {} : { leaseSeconds }),
    }),
    async start(name) {
      const service = await startService(world.config(name), directory.path);
      services.set(name, service);
      pids.set(service.pid, name);
      all.push(service);
      return service;
    },
    running(name) {
      const service = services.get(name);
      if (service === undefined) throw new Error(`${name} was never started`);
      return service;
    },
    nameOf(pid) {
      const name = pids.get(pid);
      if (name === undefined) throw new Error(`no instance had the process id ${pid}`);
      return name;
    },
    async submit(name, count, to = "left") {
      const keys = imageKeys(count);
      store.createBucket(`${name}-a`);
      store.createBucket(`${name}-b`);
      fillStore(store, `${name}-a`, keys);
      await makeTables(app, name, keys);
      const { status, body } = await world.running(to).call("POST", "/jobs", jobCalled(name));
      if (status !== 202) throw new Error(JSON.stringify(body));
      return body.id;
    },
    async holder(id) {
      const [[row]] = await ledger.query<RowDataPacket[]>(
        "SELECT lease_owner, lease_until, state FROM tranship_jobs WHERE id = ?",
        [id],
      );
      const owner: string | null = row?.lease_owner ?? null;
      const pid = owner === null ? null : Number(owner.split("/").at(-2));
      return { owner, pid, isLive: Number(row?.lease_until) > Date.now(), state: row?.state };
    },
    storeWrites: (name) => writes.filter(({ what }) => what.includes(`${name}-`)),
    async close() {
      await Promise.all(all.map((service) => service.kill("SIGKILL")));
      for (const name of NAMES) await ledger.query(`DROP USER '${userOf(name)}'@'%'`);
      await ledger.end();
      await app.end();
      await store.close();
      await ledgerPlace.drop();
      await appPlace.drop();
      directory.remove();
    },
  };
  return world;
}

/** The job that `submit` submits under this name. */
export function jobCalled(name: string) {
  return {
    source: { bucket: `${name}-a`, prefix: "image/" },
    target: { bucket: `${name}-b`, prefix: "avatar/" },
    references: [{ database: "app", table: name, key: "id", column: "path" }],
    batchSize: 100,
    limits: { concurrency: CONCURRENCY },
    delete: { when: "verified", after: "0s" },
  };
}

/** Notes who sends copies and deletions; disturbs nothing. */
function watchWrites(store: SandboxStore): readonly Write[] {
  const writes: Write[] = [];
  store.faults.add({
    operation: ["CopyObject", "PutObject", "DeleteObject", "DeleteObjects"],
    when: (request) => {
      const key = /Credential=key-of-(left|right)\//.exec(header(request, "authorization") ?? "");
      const by = key?.[1] === "left" ? "left" : "right";
      const { operation, bucket } = request.target;
      writes.push({ by, at: Date.now(), what: `${operation} ${bucket}` });
      return false;
    },
    effect: { type: "internal-error" },
  });
  return writes;
}

/** A table of rows and, beside it, one of who changed which of them when. */
async function makeTables(app: Connection, name: string, keys: readonly string[]): Promise<void> {
  await app.query(
    `CREATE TABLE ${name} (id INT PRIMARY KEY AUTO_INCREMENT, path VARCHAR(255) NOT NULL, KEY (path))`,
  );
  await app.query(`INSERT INTO ${name} (path) VALUES ?`, [keys.map((key) => [key])]);
  await app.query(
    `CREATE TABLE ${name}_changes (id INT PRIMARY KEY AUTO_INCREMENT, row_id INT, at BIGINT, who VARCHAR(120))`,
  );
  await app.query(
    `CREATE TRIGGER ${name}_changed AFTER UPDATE ON ${name} FOR EACH ROW
       INSERT INTO ${name}_changes (row_id, at, who) VALUES (NEW.id, ${NOW_MS}, USER())`,
  );
}

/** Has the ledger note every step of a batch: who wrote it, and who had the lease at that moment. */
export async function watchBatches(ledger: Connection): Promise<void> {
  await ledger.query(
    `CREATE TABLE batch_steps (id INT PRIMARY KEY AUTO_INCREMENT, job_id VARCHAR(26), seq INT,
       before_state VARCHAR(12), after_state VARCHAR(12), who VARCHAR(120), holder TEXT)`,
  );
  await ledger.query(
    `CREATE TRIGGER batch_stepped AFTER UPDATE ON tranship_batches FOR EACH ROW
       INSERT INTO batch_steps (job_id, seq, before_state, after_state, who, holder)
       VALUES (NEW.job_id, NEW.seq, OLD.state, NEW.state, USER(),
         (SELECT lease_owner FROM tranship_jobs WHERE id = NEW.job_id))`,
  );
}

/** The instance behind `USER()`. */
export const userName = (who: string): InstanceName => (who.startsWith("left_") ? "left" : "right");

/** Milliseconds from now until every job is held by a process other than `pid`. */
export async function untilTakenOver(
  world: InstancesWorld,
  ids: readonly string[],
  pid: number,
): Promise<number> {
  const begun = Date.now();
  for (;;) {
    const holders = await Promise.all(ids.map((id) => world.holder(id)));
    if (holders.every((holder) => holder.pid !== null && holder.pid !== pid && holder.isLive)) {
      return Date.now() - begun;
    }
    if (Date.now() - begun > 60_000) throw new Error(`not taken over: ${JSON.stringify(holders)}`);
    await pause(10);
  }
}
