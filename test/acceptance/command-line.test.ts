/** The command line: planning, bad usage, bad configuration, secrets that stay secret, and a running service. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Ended, Service } from "../support/service.ts";
import { lastLine, pathsOf } from "../support/worlds/sandbox-world.ts";
import { imageKeys } from "../support/worlds/workbench.ts";
import { world, worldForAll } from "../support/worlds/world-for-all.ts";

const IMAGES = { database: "app", table: "images", key: "id", column: "path" };
const SECRETS = {
  STORE_SECRET: "kept-secret-of-the-store",
  DB_PASSWORD: "kept-secret-of-the-database",
  TOKEN_SECRET: "kept-secret-of-the-token",
};
const HIDDEN = /kept-secret/;
/** How a configuration names an environment variable. */
const variable = (name: string) => `$\{${name}}`;

worldForAll();

function expectHidden(...ended: Ended[]): void {
  for (const { stdout, stderr } of ended) expect(stdout + stderr).not.toMatch(HIDDEN);
}

describe.concurrent("bad usage", () => {
  const usages: readonly [args: readonly string[], tells: RegExp][] = [
    [["rnu", "job.json"], /did you mean "?run/],
    [["run", "broken.json"], /broken\.json is not JSON.*line 1, column/],
    [["run", "fine.json", "--config", "variable.json"], /ABSENT_VARIABLE is not set/],
    [["serve", "--config", "misspelt.json"], /\/lisen/],
    [["serve", "--config", "port.json"], /\/listen\/port/],
    [["serve", "--config", "token.json"], /\/tokens\/0\/secret/],
    [["serve", "--config", "progress.json"], /\/progress/],
  ];

  beforeAll(() => {
    world.file("broken.json", '{"secretAccessKey":"kept-secret-in-broken-json"');
    world.file("fine.json", { source: { bucket: "aaa" }, target: { bucket: "bbb" } });
    const secretAccessKey = variable("ABSENT_VARIABLE");
    world.file("variable.json", { stores: { main: { accessKeyId: "a", secretAccessKey } } });
    world.file("misspelt.json", { lisen: {} });
    world.file("port.json", { listen: { port: 99_999 } });
    world.file("token.json", { tokens: [{ name: "ci", secret: "kept-secret", scopes: ["read"] }] });
    world.file("progress.json", { progress: "postgres://app:kept-secret@db/app" });
  });

  for (const [args, tells] of usages) {
    it(`ends with exit code 2 and says what is wrong: tranship ${args.join(" ")}`, async () => {
      const ended = await world.tranship(args);
      expect(ended, ended.stderr).toMatchObject({ end: 2 });
      expect(ended.stderr).toMatch(tells);
      expect(ended.stdout).toBe("");
      expect(ended.stderr).not.toMatch(/\bat .*\.js:\d+/);
      expectHidden(ended);
    });
  }

  it("is told as JSON when asked for", async () => {
    const ended = await world.tranship(["run", "fine.json", "--config", "variable.json", "--json"]);
    expect(ended).toMatchObject({ end: 2 });
    expect(lastLine(ended).error).toMatchObject({
      code: "config_invalid",
      faults: [{ pointer: "/stores/main/secretAccessKey" }],
    });
  });
});

describe.concurrent("tranship plan", () => {
  it("ends with 0 and a report for a job that may start, and changes nothing", async () => {
    const keys = imageKeys(20);
    const pair = world.buckets("plan", keys);
    const { app, url } = world.table("plan", keys);
    const config = world.file("plan-config.json", world.config({ databases: { app: url } }));
    const job = world.file("plan.json", { ...pair, references: [IMAGES] });
    const json = await world.tranship(["plan", job, "--config", config, "--json"]);
    expect(json, json.stderr).toMatchObject({ end: 0 });
    expect(lastLine(json)).toMatchObject({
      ok: true,
      objects: 20,
      bytes: keys.reduce((sum, key) => sum + `body of ${key}`.length, 0),
      requests: { copy: 20, delete: 1 },
      problems: [],
    });
    expect(Object.keys(lastLine(json).rows)).toEqual(["app.images.path"]);
    const text = await world.tranship(["plan", job, "--config", config]);
    expect(text).toMatchObject({ end: 0 });
    expect(text.stdout).toMatch(/objects +20\b/);
    expect(pathsOf(app)).toEqual(keys);
    expect(world.store.listKeys("plan-b")).toEqual([]);
    expect(world.store.listKeys("plan-a")).toEqual(keys);
  });
});

describe("against a running service", () => {
  let service: Service;
  let to: readonly string[];
  let job: string;
  const ids: string[] = [];
  const send = (...args: string[]) => world.tranship([...args, ...to, "--json"]);

  beforeAll(async () => {
    const pair = world.buckets("remote", imageKeys(20));
    world.store.deleteObject("remote-a", "image/000007.png");
    const { url } = world.table("remote", imageKeys(20));
    job = world.file("remote.json", {
      ...pair,
      references: [IMAGES],
      delete: { when: "approved", after: "0s" },
    });
    const scopes = ["read", "operate", "approve"];
    service = await world.serve({
      databases: { app: url },
      tokens: [{ name: "ci", secret: SECRETS.TOKEN_SECRET, scopes }],
    });
    to = ["--url", service.url, "--token", SECRETS.TOKEN_SECRET];
  });

  it("submit, status, list, pause, resume, approve, watch, retry and cancel do what they say", async () => {
    const submitted = await send("submit", job, "--idempotency-key", "one");
    expect(submitted, submitted.stderr).toMatchObject({ end: 0 });
    const { id } = lastLine(submitted);
    ids.push(id);
    expect(lastLine(await send("submit", job, "--idempotency-key", "one")).id).toBe(id);
    expect(await send("pause", id)).toMatchObject({ end: 0 });
    expect(await send("resume", id)).toMatchObject({ end: 0 });
    const authorized = { authorization: `Bearer ${SECRETS.TOKEN_SECRET}` };
    const waits = async () => (await service.call("GET", `/jobs/${id}`, undefined, authorized)).body.state;
    await expect.poll(waits, { timeout: 15_000 }).toBe("waiting");
    const status = await send("status", id);
    expect(status).toMatchObject({ end: 0 });
    expect(lastLine(status)).toMatchObject({ id, state: "waiting", waiting: { reason: "approval" } });
    expect(lastLine(await send("list"))).toMatchObject([{ id }]);
    expect(lastLine(await send("list", "--state", "failed"))).toEqual([]);

    const watching = world.start(["watch", id, ...to, "--json"]);
    expect(lastLine(await send("approve", id))).toMatchObject({ id, approvedBy: "ci" });
    const watched = await watching.ended;
    expect(watched).toMatchObject({ end: 3 });
    expect(lastLine(watched)).toMatchObject({
      jobId: id,
      state: "completed_with_exceptions",
      objects: { planned: 20, moved: 19, skipped: 0, exceptions: 1 },
    });
    world.store.putObject("remote-a", "image/000007.png", "restored");
    expect(await send("retry", id)).toMatchObject({ end: 0 });
    expect(await send("watch", id)).toMatchObject({ end: 0 });
    expect(await send("status", id)).toMatchObject({ end: 0 });
    const refused = await send("cancel", id);
    expect(refused).toMatchObject({ end: 2 });
    expect(lastLine(refused).error).toMatchObject({ code: "state_conflict", message: /completed/ });
    expect(world.store.countObjects("remote-a")).toBe(0);
    expectHidden(submitted, status, watched, refused);
  });
});

describe("secrets", () => {
  it("appear in no output, no answer and no file but the configuration, whatever goes wrong", async () => {
    const pair = world.buckets("secret", imageKeys(3));
    const stores = {
      main: { ...world.main, secretAccessKey: variable("STORE_SECRET") },
    };
    const databases = { app: `mysql://app:${variable("DB_PASSWORD")}@127.0.0.1:1/app` };
    const progress = `sqlite:${world.directory}/secret-ledger.db`;
    const tokens = [{ name: "ci", secret: variable("TOKEN_SECRET"), scopes: ["read", "operate"] }];
    const parts = world.config({ stores, databases, progress, tokens, logLevel: "debug" });
    const config = world.file("secret-config.json", parts);
    const plain = world.file("secret.json", { ...pair, name: "secret" });
    const rows = world.file("secret-rows.json", { ...pair, references: [IMAGES] });
    const ended = await Promise.all(
      [plain, rows].flatMap((job) =>
        ["plan", "run"].map((command) =>
          world.tranship([command, job, "--config", config, "--json"], SECRETS),
        ),
      ),
    );
    for (const { end } of ended) expect([1, 2]).toContain(end);
    expectHidden(...ended);
    const badLedger = world.file("ledger-config.json", {
      progress: `mysql://app:${variable("DB_PASSWORD")}@127.0.0.1:1/x`,
    });
    const ledgerless = await world.tranship(["run", plain, "--config", badLedger, "--json"], SECRETS);
    expect(ledgerless).toMatchObject({ end: 1 });
    expectHidden(ledgerless);
    for (const name of readdirSync(world.directory).filter((file) => file.startsWith("secret-ledger"))) {
      expect(readFileSync(join(world.directory, name)).toString("latin1")).not.toMatch(HIDDEN);
    }
  });
});
