/** A production database that takes connections and statements and does not answer: never an endless wait. */
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { type Connection, createConnection, type RowDataPacket } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Database, openDatabase } from "../../../src/stores/sql/open-database.ts";
import { createRunDirectory, removeRunDirectory } from "../../support/run-directory.ts";
import {
  createDatabase,
  type StartedMariadb,
  startMariadb,
  type TestDatabase,
} from "../../support/servers/mariadb.ts";
import { fillStore, IMAGES, imageKeys, openWorkbench } from "../../support/worlds/workbench.ts";

const ANSWER_WITHIN_MS = 500;
const SPEC = { ...IMAGES, set: {}, where: {}, urlPrefix: null, keepUpdatedAt: true };
const KEYS = imageKeys(60);
const MOVED = KEYS.map((key) => key.replace("image/", "avatar/"));

describe("a port that accepts and says nothing", () => {
  let server: Server;
  const sockets: Socket[] = [];

  beforeAll(async () => {
    server = createServer((socket) => sockets.push(socket));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  it("is an unavailable database, soon", async () => {
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const database = openDatabase("app", `mysql://u:p@127.0.0.1:${port}/app`, {
      answerWithinMs: ANSWER_WITHIN_MS,
    });
    const begun = performance.now();
    await expect(database.reference(SPEC, {}).ping()).rejects.toMatchObject({ code: "database_unavailable" });
    expect(performance.now() - begun).toBeLessThan(5000);
    await database.close();
  });
});

describe("a server that froze", () => {
  let directory: string;
  let server: StartedMariadb;
  let own: TestDatabase;
  let app: Connection;
  let database: Database;

  beforeAll(async () => {
    directory = createRunDirectory();
    server = await startMariadb({ dir: directory });
  });
  afterAll(async () => {
    await server.dispose();
    removeRunDirectory(directory);
  });
  beforeEach(async () => {
    own = await createDatabase(server.url);
    app = await createConnection(own.url);
    await app.query("CREATE TABLE images (id INT AUTO_INCREMENT PRIMARY KEY, path VARCHAR(99), KEY (path))");
    await app.query("INSERT INTO images (path) VALUES ?", [KEYS.map((key) => [key])]);
    database = openDatabase("app", own.url, { answerWithinMs: ANSWER_WITHIN_MS });
  });
  afterEach(async () => {
    signal("SIGCONT");
    await database.close();
    await app.end();
    await own.drop();
  });

  function signal(name: "SIGSTOP" | "SIGCONT"): void {
    const pid = Number(readFileSync(join(directory, "mariadb.pid"), "utf8"));
    process.kill(pid, name);
    // A thread that runs on another processor goes on until the kernel reaches it, and may still answer.
    const isStopped = (thread: string) =>
      /^\d+ \(.*\) [Tt] /.test(readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8"));
    const until = performance.now() + 5000;
    while (name === "SIGSTOP" && !readdirSync(`/proc/${pid}/task`).every(isStopped)) {
      if (performance.now() > until) throw new Error("the server does not stop");
    }
  }

  async function paths(): Promise<string[]> {
    const [rows] = await app.query<RowDataPacket[]>("SELECT path FROM images ORDER BY id");
    return rows.map(({ path }) => path as string);
  }

  it.each(["reading", "rewriting"] as const)(
    "between statements: %s is given up soon, once",
    async (what) => {
      const statements: Record<string, number> = {};
      const images = database.reference(SPEC, statements);
      await images.findRows(KEYS);
      signal("SIGSTOP");
      const begun = performance.now();
      const call =
        what === "reading" ? images.findRows(KEYS) : images.rewrite(KEYS, { from: "image/", to: "avatar/" });
      await expect(call).rejects.toMatchObject({ code: "database_unavailable" });
      expect(performance.now() - begun).toBeLessThan(2.5 * ANSWER_WITHIN_MS);
      // It may still be run when the server wakes up: another one behind it would only make that worse.
      expect(statements).toEqual({ app: 2 });
      signal("SIGCONT");
      await images.rewrite(KEYS, { from: "image/", to: "avatar/" });
      expect(await paths()).toEqual(MOVED);
    },
  );

  it("holds a job, with the reason, until it answers again; nothing is lost", async () => {
    const bench = await openWorkbench({ appUrl: own.url });
    Object.assign(bench.parts.connections, { reference: database.reference });
    fillStore(bench.store, "bucket-a", KEYS);
    const id = await bench.submit({ inventory: { from: "bucket" }, batchSize: 20 });
    bench.store.faults.latencyMs = 5;
    const running = bench.work(id);
    signal("SIGSTOP");
    await expect
      .poll(async () => (await bench.jobs.get(id)).waiting, { timeout: 20_000, interval: 50 })
      .toMatchObject({ reason: "database" });
    signal("SIGCONT");
    expect(await running).toMatchObject({ state: "completed", objects: { planned: 60, moved: 60 } });
    expect(await paths()).toEqual(MOVED);
    expect(bench.store.listKeys("bucket-a")).toEqual([]);
    await bench.close();
  });
});
