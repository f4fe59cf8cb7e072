/** `tranship aws notify` and `forget` on a deployment of doubles: what they write and remove, and what they leave. */

import { PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { configured, entry } from "../../support/aws/broken-deployments.ts";
import { type DeployedWorld, startDeployedWorld } from "../../support/aws/deployed-world.ts";
import { type Deployed, QUEUE, RELOCATION } from "../../support/aws/usual-deployment.ts";
import { connectTo } from "../../support/sandbox-client.ts";

let world: DeployedWorld;
let usual: Deployed;

beforeAll(async () => {
  world = await startDeployedWorld();
  usual = { ...world.deployed };
});
afterAll(() => world.close());
beforeEach(async () => {
  Object.assign(world.deployed, usual, { notification: "" });
  world.deployed.refused.clear();
});

const { signal } = new AbortController();

describe("notify", () => {
  const theirs = entry("theirs", "s3:ObjectRemoved:*", "arn:aws:sqs:eu-central-1:123456789012:other");
  const novel = '<NovelConfiguration mode="x"><Id>n</Id><Deep><er/></Deep></NovelConfiguration>';

  it("only shows without apply", async () => {
    world.deployed.notification = configured(theirs);
    const report = await world.deployment().notify(RELOCATION.target, { apply: false });
    expect(report).toMatchObject({ state: "planned", others: 1, queue: QUEUE });
    expect(world.deployed.notification).toBe(configured(theirs));
  });

  it("adds one entry on the wire, and what the SDK does not know survives byte for byte", async () => {
    world.deployed.notification = configured(theirs, `\n  ${novel}`);
    const { state, added } = await world.deployment().notify(RELOCATION.target, { apply: true });
    expect(state).toBe("applied");
    expect(world.deployed.notification.replace(added ?? "", "")).toBe(configured(theirs, `\n  ${novel}`));
    expect(added).toContain("<Value>avatar/</Value>");
    expect(await world.deployment().notify(RELOCATION.target, { apply: true })).toMatchObject({
      state: "wired",
      others: 2,
    });
  });

  it("writes nothing where an entry is in the way", async () => {
    const overlapping = configured(entry("theirs", "s3:ObjectCreated:*", "arn:other"));
    world.deployed.notification = overlapping;
    const report = await world.deployment().notify(RELOCATION.target, { apply: true });
    expect(report).toMatchObject({ state: "refused", added: null });
    expect(world.deployed.notification).toBe(overlapping);
  });

  it("fails with the configuration as it was where S3 has lost an entry of it", async () => {
    world.deployed.notification = configured(theirs);
    world.deployed.kept = (written) => written.replace(theirs, "");
    await expect(world.deployment(true).notify(RELOCATION.target, { apply: true })).rejects.toMatchObject({
      code: "engine_refused",
      message: expect.stringContaining(`It was: ${configured(theirs)}`),
    });
  });

  it("tells that a right is missing", async () => {
    world.deployed.notification = "";
    world.deployed.refused.set("PUT bucket-b?notification", 403);
    await expect(world.deployment().notify(RELOCATION.target, { apply: true })).rejects.toMatchObject({
      code: "engine_refused",
      message: expect.stringContaining("AccessDenied"),
    });
  });
});

describe("forget", () => {
  const put = async (key: string) => {
    const client = connectTo(world.store, { region: "eu-central-1" });
    await client.send(new PutObjectCommand({ Bucket: "ops", Key: key, Body: "x" }));
    client.destroy();
  };
  const record = (key: string, job: string) =>
    world.table.put({ Key: { S: `bucket-b/${key}` }, Job: { S: job }, Flag: { BOOL: true } });
  const own = [
    "tranship/01job/1/manifest.csv",
    "tranship/01job/1/job-a/manifest.json",
    "tranship/01job/2/manifest.csv",
  ];
  const foreign = ["tranship/01job2/1/manifest.csv", "tranship/other.csv", "01job/1/manifest.csv"];
  const job = { id: "01job", tokens: ["t1", "t2"] };

  it("lists first, and removes what is the job's and nothing else", async () => {
    for (const key of [...own, ...foreign]) await put(key);
    for (const [key, token] of [
      ["a", "t1"],
      ["b", "t2"],
      ["c", "t3"],
    ] as const)
      await record(key, token);
    const everything = world.store.listKeys("ops");
    const listed = await world.deployment().forget(job, { apply: false, signal });
    expect(listed).toMatchObject({ keys: [...own].sort(), records: 2, removed: false });
    expect(world.store.listKeys("ops")).toEqual(everything);
    expect(Object.keys(await world.table.rows())).toHaveLength(3);

    expect(await world.deployment().forget(job, { apply: true, signal })).toMatchObject({
      records: 2,
      removed: true,
    });
    expect(world.store.listKeys("ops")).toEqual([...foreign].sort());
    expect(Object.keys(await world.table.rows())).toEqual(["bucket-b/c"]);
    expect(await world.deployment().forget(job, { apply: true, signal })).toMatchObject({
      keys: [],
      records: 0,
    });
    for (const key of foreign) world.store.deleteObject("ops", key);
  });

  it("leaves a record that another job has taken since it was read", async () => {
    await record("a", "t1");
    const { middlewareStack } = world.table.client;
    middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          if (commandName === "DeleteItemCommand") await record("a", "t9");
          return next(args);
        },
      { step: "initialize", name: "takeRecord" },
    );
    try {
      await world.deployment().forget(job, { apply: true, signal });
      expect((await world.table.rows())["bucket-b/a"]?.Job).toEqual({ S: "t9" });
    } finally {
      middlewareStack.remove("takeRecord");
    }
  });

  it.each(["", "..", "a/b", "*", "01job/"])("refuses %j, which is no job's id", async (id) => {
    await expect(world.deployment().forget({ ...job, id }, { apply: true, signal })).rejects.toMatchObject({
      code: "invalid_input",
    });
  });

  it("does without a table", async () => {
    withoutTable();
    expect(await world.deployment().forget(job, { apply: true, signal })).toMatchObject({ records: null });
  });

  function withoutTable(): void {
    Object.assign(world.deployed, { settings: { ...world.deployed.settings, copyLogs: "Gone" } });
  }
});
