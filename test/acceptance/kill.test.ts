/** kill -9 at every stage boundary and in the middle of every stage: the end must be the same as without. */

import { type Connection, createConnection, type RowDataPacket } from "mysql2/promise";
import { describe, expect, inject, it } from "vitest";
import type { RequestMatch } from "../../src/sandbox-s3/faults/fault-rules.ts";
import { type SandboxStore, startSandboxStore } from "../../src/sandbox-s3/sandbox-store.ts";
import { createDatabase } from "../support/servers/mariadb.ts";
import { hasEnded, startService, temporaryDirectory } from "../support/service.ts";
import { fillStore, imageKeys } from "../support/worlds/workbench.ts";

const KEYS = { accessKeyId: "test-access", secretAccessKey: "test-secret-key" };
const OBJECTS = 300;
const BATCH = 100;
const CONCURRENCY = 16;

interface Scene {
  readonly store: SandboxStore;
  readonly app: Connection;
  /** A second connection, for locks. */
  readonly rival: Connection;
}

interface Moment {
  readonly when: string;
  /** Arms the trap; the promise it gives resolves when the moment has come. Only then the process is killed. */
  readonly arm: (scene: Scene) => Promise<unknown>;
  /** What must be undone before the restart. */
  readonly after?: (scene: Scene) => Promise<unknown>;
}

const isTargetListing = { operation: "ListObjectsV2", bucket: "bucket-b" } as const;
const isSourceListing = { operation: "ListObjectsV2", bucket: "bucket-a" } as const;

const MOMENTS: readonly Moment[] = [
  {
    when: "in the middle of planning, with one batch in the ledger",
    // 1: the look at submission, 2: the sources of the first page of rows; 3: those of the second.
    arm: ({ store }) => holdFrom(store, isSourceListing, 3),
  },
  {
    when: "between planning and copying",
    arm: ({ store }) => holdFrom(store, isTargetListing, 1),
  },
  {
    when: "in the middle of copying",
    arm: ({ store }) => store.faults.arrival({ operation: "CopyObject" }, 150),
  },
  {
    when: "when objects are copied and the answers are not yet read",
    arm: ({ store }) => store.faults.hold({ operation: "CopyObject" }, "after").arrival(CONCURRENCY),
  },
  {
    when: "between copying and verifying",
    arm: async ({ store }) => {
      await store.faults.arrival({ operation: "CopyObject" }, BATCH);
      return store.faults.hold(isTargetListing).arrival(1);
    },
  },
  {
    when: "between verifying and updating",
    arm: async ({ store, rival }) => {
      // The last batch is being copied: nothing has to be read from the table any more, and its update must wait.
      await store.faults.arrival({ operation: "CopyObject" }, 2 * BATCH + 50);
      await rival.query("LOCK TABLES images WRITE");
      await updateWaits(rival);
    },
    after: ({ rival }) => rival.query("UNLOCK TABLES"),
  },
  {
    when: "in the middle of updating rows",
    arm: async ({ rival }) => {
      await rival.query("START TRANSACTION");
      await rival.query("SELECT * FROM images WHERE path = ? FOR UPDATE", [imageKeys(1, 150)[0]]);
      await updateWaits(rival);
    },
    after: ({ rival }) => rival.query("ROLLBACK"),
  },
  {
    when: "between updating and deleting",
    // Each of the three batches lists the target to look, to verify and before deleting: the seventh listing is
    // certainly one before a deletion.
    arm: ({ store }) => holdFrom(store, isTargetListing, 7),
  },
  {
    when: "before sources are deleted",
    arm: ({ store }) => store.faults.hold({ operation: "DeleteObjects" }).arrival(1),
  },
  {
    when: "when sources are deleted and the answer is not yet read",
    arm: ({ store }) => store.faults.hold({ operation: "DeleteObjects" }, "after").arrival(2),
  },
];

/** Resolves when an UPDATE of the service is on its way in the server. */
async function updateWaits(rival: Connection): Promise<void> {
  for (;;) {
    const [rows] = await rival.query<RowDataPacket[]>(
      "SELECT 1 FROM information_schema.processlist WHERE db = DATABASE() AND info REGEXP '^(SET STATEMENT .* FOR )?UPDATE'",
    );
    if (rows.length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Freezes requests that match from the nth on, and resolves when the first of them is frozen. */
function holdFrom(store: SandboxStore, match: RequestMatch, nth: number): Promise<unknown> {
  let seen = 0;
  const when = () => {
    seen += 1;
    return seen >= nth;
  };
  return store.faults.hold({ ...match, when }).arrival(1);
}

async function openScene(url: string): Promise<Scene> {
  const buckets = [{ name: "bucket-a" }, { name: "bucket-b" }];
  const store = await startSandboxStore({ ...KEYS, buckets });
  store.faults.latencyMs = 5;
  fillStore(store, "bucket-a", imageKeys(OBJECTS));
  const app = await createConnection(url);
  const rival = await createConnection(url);
  await app.query(
    "CREATE TABLE images (id INT PRIMARY KEY AUTO_INCREMENT, path VARCHAR(255) NOT NULL, KEY (path))",
  );
  await app.query("INSERT INTO images (path) VALUES ?", [imageKeys(OBJECTS).map((key) => [key])]);
  return { store, app, rival };
}

const JOB = {
  source: { bucket: "bucket-a", prefix: "image/" },
  target: { bucket: "bucket-b", prefix: "avatar/" },
  references: [{ database: "app", table: "images", key: "id", column: "path" }],
  batchSize: BATCH,
  limits: { concurrency: CONCURRENCY },
  delete: { when: "verified", after: "0s" },
};

async function killAndRestart(moment: Moment): Promise<void> {
  const directory = temporaryDirectory();
  const database = await createDatabase(inject("mariadbUrl"));
  const scene = await openScene(database.url);
  const config = {
    progress: `sqlite:${directory.path}/ledger.db`,
    stores: { main: { ...KEYS, endpoint: scene.store.url, region: "us-east-1", forcePathStyle: true } },
    databases: { app: database.url },
    logLevel: "warn",
  };
  try {
    const first = await startService(config, directory.path);
    const come = moment.arm(scene);
    const { body: submitted } = await first.call("POST", "/jobs", JOB);
    await come;
    expect((await first.kill("SIGKILL")).end).toBe("SIGKILL");
    const copiesBefore = scene.store.requests.count("CopyObject");
    scene.store.faults.release();
    await moment.after?.(scene);

    const second = await startService(config, directory.path);
    const done = await second.poll(submitted.id, hasEnded, 60_000);
    await second.kill("SIGTERM");

    expect(done).toMatchObject({ state: "completed" });
    expect(done.objects).toMatchObject({ planned: OBJECTS, moved: OBJECTS, skipped: 0, exceptions: 0 });
    const after = imageKeys(OBJECTS).map((key) => key.replace("image/", "avatar/"));
    expect(scene.store.listKeys("bucket-a")).toEqual([]);
    expect(scene.store.listKeys("bucket-b")).toEqual(after);
    for (const key of after) {
      const body = scene.store.getObject("bucket-b", key)?.read().toString();
      expect(body).toBe(`body of ${key.replace("avatar/", "image/")}`);
    }
    const [rows] = await scene.app.query<RowDataPacket[]>("SELECT path FROM images ORDER BY id");
    expect(rows.map((row) => row.path)).toEqual(after);
    // What was under way at the kill may be asked for again; a finished copy may not.
    const copies = scene.store.requests.count("CopyObject");
    expect(copies).toBeLessThanOrEqual(OBJECTS + CONCURRENCY);
    expect(copies).toBeGreaterThanOrEqual(Math.max(OBJECTS, copiesBefore));
  } finally {
    await scene.app.end();
    await scene.rival.end();
    await database.drop();
    await scene.store.close();
    directory.remove();
  }
}

describe.concurrent("kill -9", () => {
  for (const moment of MOMENTS) {
    it(
      `${moment.when}: the job goes on after a restart and ends the same`,
      () => killAndRestart(moment),
      120_000,
    );
  }
});
