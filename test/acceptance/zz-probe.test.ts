import { createConnection } from "mysql2/promise";
import { inject, it } from "vitest";
import { createDatabase } from "../support/mariadb.ts";
import { openSandboxWorld } from "../support/sandbox-world.ts";
import { imageKeys } from "../support/workbench.ts";

it("probe", async () => {
  const world = await openSandboxWorld();
  const db = await createDatabase(inject("mariadbUrl"));
  const app = await createConnection(db.url);
  await app.query(
    "CREATE TABLE images (id INT PRIMARY KEY AUTO_INCREMENT, path VARCHAR(255) NOT NULL, grp INT NOT NULL DEFAULT 1, legacy INT NOT NULL DEFAULT 1, KEY (path))",
  );
  await app.query("INSERT INTO images (path) VALUES ?", [imageKeys(5).map((k) => [k])]);
  const pair = world.buckets("bad", imageKeys(5));
  world.store.createBucket("empty-bucket");
  world.store.putObject("bad-a", "m/other.csv", "elsewhere,image/000001.png\n");
  world.store.putObject("bad-a", "m/bin.csv", Buffer.from([0, 1, 2, 255, 254, 10, 7, 8]));
  world.store.putObject("bad-a", "m/prose.csv", 'Dear all,\n\nplease move the "images.\n');
  world.store.putObject("bad-a", "m/bin.csv.gz", "not gzip");
  world.store.putObject("bad-a", "m/none.csv", "");
  const service = await world.serve({
    databases: { app: db.url, dead: "mysql://u:dbsecretpw@127.0.0.1:1/x" },
    stores: {
      main: world.main,
      dead: { ...world.main, endpoint: "http://127.0.0.1:1" },
      wrong: { ...world.main, secretAccessKey: "wrong-secret-value" },
    },
  });
  const ref = { database: "app", table: "images", key: "id", column: "path" };
  const job = { ...pair, references: [ref] };
  const r = (x: object) => ({ ...job, references: [{ ...ref, ...x }] });
  const man = (key: string, x = {}) => ({
    ...pair,
    inventory: { from: "manifest", bucket: "bad-a", key, ...x },
  });
  const cases: [string, unknown, Record<string, string>?][] = [
    ["malformed", '{"source":'],
    ["array", "[]"],
    ["nothing", ""],
    ["null", "null"],
    ["unknown", { ...job, colour: 1 }],
    ["nested", { ...job, limits: { concurency: 3 } }],
    ["nested ref", r({ colum: "x" })],
    ["src type", { ...job, source: "x" }],
    ["batch type", { ...job, batchSize: "10" }],
    ["refs type", { ...job, references: {} }],
    ["missing source", { target: job.target }],
    ["maxobj", { ...job, maxObjects: 1.5 }],
    ["delete null", { ...job, delete: null }],
    ["onConflict", { ...job, onConflict: "replace" }],
    ["inv", { ...job, inventory: { from: "list" } }],
    ["inv man", { ...job, inventory: { from: "manifest" } }],
    ["conc 0", { ...job, limits: { concurrency: 0 } }],
    ["conc neg", { ...job, limits: { concurrency: -1 } }],
    ["conc absurd", { ...job, limits: { concurrency: 1e9 } }],
    ["rps neg", { ...job, limits: { requestsPerSecond: -5, bytesPerSecond: 0, rowsPerSecond: 1e300 } }],
    ["batch", { ...job, batchSize: 0 }],
    ["batch2", { ...job, batchSize: 1e6 }],
    ["after", { ...job, delete: { after: "tomorrow" } }],
    ["after2", { ...job, delete: { after: "-1h" } }],
    ["after3", { ...job, delete: { after: "99999d" } }],
    ["after num", { ...job, delete: { after: 24 } }],
    ["tz", { ...job, windows: { timezone: "Mars/Olympus", open: [{ from: "22:00", to: "06:00" }] } }],
    ["time", { ...job, windows: { timezone: "UTC", open: [{ from: "25:00", to: "6" }] } }],
    ["modb", { ...job, filter: { modifiedBefore: "yesterday" } }],
    ["ident", r({ table: "images`; DROP TABLE images; --" })],
    ["ident2", r({ column: "path'" })],
    ["ident3", r({ key: "id;" })],
    ["set", r({ set: { "legacy` = 1; --": 1 } })],
    ["where", r({ where: { "1=1 OR `x": 1 } })],
    ["set unknown col", r({ set: { nosuch: 1 } })],
    ["where unknown col", r({ where: { nosuch: 1 } })],
    ["table", r({ table: "nosuch" })],
    ["column", r({ column: "nosuch" })],
    ["key", r({ key: "nosuch" })],
    ["key nonunique", r({ key: "grp" })],
    ["store", { ...job, source: { ...job.source, store: "other" } }],
    ["database", r({ database: "other" })],
    ["missing bucket", { ...job, source: { bucket: "no-such-bucket", prefix: "image/" } }],
    ["missing tgt", { ...job, target: { bucket: "no-such-bucket", prefix: "image/" } }],
    ["bad bucket", { ...job, target: { bucket: "No_Such", prefix: "image/" } }],
    ["empty bucket", { source: { bucket: "empty-bucket" }, target: { bucket: "bad-b", prefix: "x/" } }],
    ["prefix", { source: { bucket: "bad-a", prefix: "Image/" }, target: job.target }],
    ["prefix db", { ...job, source: { bucket: "bad-a", prefix: "m/" } }],
    ["same", { source: job.source, target: job.source }],
    ["overlap", { source: job.source, target: { bucket: "bad-a", prefix: "image/new/" } }],
    ["overlap2", { source: job.source, target: { bucket: "bad-a", prefix: "" } }],
    ["prefix long", { ...job, target: { bucket: "bad-b", prefix: "x".repeat(1025) } }],
    ["surrogate", '{"source":{"bucket":"bad-a","prefix":"image/\\ud800"},"target":{"bucket":"bad-b"}}'],
    ["proto", '{"__proto__":{"x":1}}'],
    ["man other", man("m/other.csv")],
    ["man bin", man("m/bin.csv")],
    ["man prose", man("m/prose.csv")],
    ["man gz", man("m/bin.csv.gz")],
    ["man missing", man("m/nosuch.csv")],
    ["man empty", man("m/none.csv")],
    ["man bucket", man("m/other.csv", { bucket: "no-such-bucket" })],
    ["big", { ...job, name: "x".repeat(1_100_000) }],
    ["idem", job, { "idempotency-key": "a b" }],
    ["idem long", job, { "idempotency-key": "k".repeat(300) }],
    ["idem empty", job, { "idempotency-key": "" }],
    ["ctype", job, { "content-type": "text/plain" }],
    [
      "dead store",
      { ...job, source: { ...job.source, store: "dead" }, target: { ...job.target, store: "dead" } },
    ],
    ["dead db", r({ database: "dead" })],
    [
      "wrong cred",
      { ...job, source: { ...job.source, store: "wrong" }, target: { ...job.target, store: "wrong" } },
    ],
    ["two ends", { ...job, target: { ...job.target, store: "dead" } }],
  ];
  for (const [name, body, headers] of cases) {
    const t = Date.now();
    const a = await service.call("POST", "/jobs", body, headers);
    const ms = Date.now() - t;
    console.log(
      `${name} [${ms} ms] ${a.status} ${a.headers.get("content-type")} ${a.body?.code} ${a.body?.faults ? JSON.stringify(a.body.faults) : (a.body?.detail ?? JSON.stringify(a.body).slice(0, 200))}`,
    );
  }
  for (const p of ["", "/exceptions", "/batches", "/audit", "/objects?key=x"]) {
    const a = await service.call("GET", `/jobs/nosuch${p}`);
    console.log(p, a.status, a.body.code, a.body.detail);
  }
  for (const p of ["/pause", "/resume", "/cancel", "/approve", "/retry", "/rollback", "/reconcile"]) {
    const a = await service.call("POST", `/jobs/nosuch${p}`);
    console.log(p, a.status, a.body.code, a.body.detail);
  }
  for (const [m, p] of [
    ["PUT", "/jobs"],
    ["DELETE", "/jobs/x"],
    ["PATCH", "/jobs/x"],
    ["GET", "/jobs/x/pause"],
    ["POST", "/health/live"],
    ["GET", "/nope"],
    ["GET", "/jobs?limit=0"],
    ["GET", "/jobs?state=x"],
    ["GET", "/jobs?colour=x"],
    ["GET", "/jobs/x/report?format=csv"],
    ["GET", "/jobs/x/events"],
    ["GET", "/metrics"],
    ["GET", "/"],
    ["GET", "/jobs?cursor=zz"],
  ] as const) {
    const a = await service.call(m, p);
    console.log(m, p, a.status, a.headers.get("allow"), a.body?.code, a.body?.detail);
  }
  console.log(
    (await service.call("GET", "/jobs")).body.items.length,
    world.writes(),
    world.store.requests.byOperation(),
  );
  await service.kill("SIGTERM");
  await app.end();
  await db.drop();
  await world.close();
}, 200000);
