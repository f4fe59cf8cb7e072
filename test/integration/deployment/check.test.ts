/** `tranship aws check` on a deployment of doubles: what each fault looks like, and that nothing is left. */

import { CreateTableCommand, waitUntilTableExists } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { DeploymentReport } from "../../../src/ports/deployment.ts";
import { BROKEN, entry } from "../../support/aws/broken-deployments.ts";
import { type DeployedWorld, startDeployedWorld } from "../../support/aws/deployed-world.ts";
import { type Deployed, QUEUE, RELOCATION } from "../../support/aws/usual-deployment.ts";

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
  await world.deployment().notify(RELOCATION.target, { apply: true });
});

const { signal } = new AbortController();
const check = (options: { copyLog?: boolean; batchOperations?: boolean } = {}): Promise<DeploymentReport> =>
  world.deployment().check(RELOCATION, { copyLog: true, batchOperations: false, signal, ...options });

/** Nothing of a check remains. */
async function expectNothingLeft(): Promise<void> {
  for (const bucket of ["bucket-a", "bucket-b", "ops"]) expect(world.store.listKeys(bucket)).toEqual([]);
  expect(await world.table.rows()).toEqual({});
}

describe("check", () => {
  it("proves a deployment by function, event and table, and leaves nothing", async () => {
    const report = await check();
    expect(report.findings).toEqual([]);
    expect(report.steps.map(({ name, ok }) => `${name} ${ok}`)).toEqual([
      "function true",
      "account true",
      "manifests true",
      "table true",
      "events true",
      "canary true",
    ]);
    expect(report.steps.at(-1)?.detail).toMatch(/^copied; its event came after \d/);
    await expectNothingLeft();
  });

  it("needs neither table nor events for the engine lambda", async () => {
    Object.assign(world.deployed, { notification: "", mappings: [] });
    const report = await check({ copyLog: false });
    expect(report).toMatchObject({ ok: true, findings: [] });
    expect(report.steps.map(({ name }) => name)).toEqual(["function", "account", "manifests", "canary"]);
    await expectNothingLeft();
  });

  it.each(BROKEN)("finds %s", async (_, break_, code, message) => {
    break_(world.deployed);
    const { ok, findings } = await check();
    expect(ok).toBe(false);
    const found = findings.find((finding) => finding.code === code);
    expect([code, found?.message]).toEqual([code, expect.stringContaining(message)]);
    world.deployed.refused.clear();
    await expectNothingLeft();
  });

  it("finds a table with another key", async () => {
    const AttributeDefinitions = ["Key", "Part"].map((AttributeName) => ({
      AttributeName,
      AttributeType: "S" as const,
    }));
    const command = new CreateTableCommand({
      TableName: "Ranged",
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions,
      KeySchema: [
        { AttributeName: "Key", KeyType: "HASH" },
        { AttributeName: "Part", KeyType: "RANGE" },
      ],
    });
    await world.table.client.send(command);
    const wait = { client: world.table.client, maxWaitTime: 10, minDelay: 0.05, maxDelay: 0.2 };
    await waitUntilTableExists(wait, { TableName: "Ranged" });
    world.deployed.settings = { ...usual.settings, copyLogs: "Ranged" };
    const { ok, findings } = await check();
    expect(ok).toBe(false);
    expect(findings).toMatchObject([
      { code: "table_schema", message: expect.stringContaining("Key S HASH, Part S RANGE") },
    ]);
  });

  it("finds events that do not arrive, and says that jobs end the same", async () => {
    world.deployed.eventsArrive = false;
    const report = await world
      .deployment(true)
      .check(RELOCATION, { copyLog: true, batchOperations: false, signal });
    expect(report.findings).toMatchObject([
      { code: "event_missing", message: expect.stringContaining("Jobs end the same, later") },
    ]);
    await expectNothingLeft();
  });

  it("warns of an account with the limit of a new one, which is no obstacle", async () => {
    world.deployed.accountLimit = 10;
    const { ok, findings } = await check({ copyLog: false });
    expect(ok).toBe(true);
    expect(findings).toMatchObject([{ severity: "warning", code: "lambda_limit" }]);
  });

  it("warns of two entries that tell the queue", async () => {
    const own = world.deployed.notification;
    const other = entry("by-hand", "s3:ObjectCreated:Copy", QUEUE).replace(
      "</QueueConfiguration>",
      "<Filter><S3Key><FilterRule><Name>prefix</Name><Value>other/</Value></FilterRule></S3Key></Filter></QueueConfiguration>",
    );
    world.deployed.notification = own.replace(
      "</NotificationConfiguration>",
      `${other}</NotificationConfiguration>`,
    );
    const { ok, findings } = await check();
    expect(ok).toBe(true);
    expect(findings).toMatchObject([{ severity: "warning", code: "events_wired_twice" }]);
  });

  it("names the canary that it cannot remove", async () => {
    world.deployed.refused.set("DELETE bucket-b/", 403);
    const { findings } = await check({ copyLog: false });
    const [key = ""] = world.store.listKeys("bucket-b");
    expect(findings.map(({ code }) => code)).toEqual(["right_missing", "canary_left"]);
    expect(findings[1]?.message).toContain(`bucket-b/${key}`);
    world.store.deleteObject("bucket-b", key);
    await expectNothingLeft();
  });

  it("with a real job: shows its requests, its manifest and its report, and leaves nothing", async () => {
    const { ok, findings, seen } = await check({ batchOperations: true });
    expect(findings).toEqual([]);
    expect(ok).toBe(true);
    const operations = (seen ?? []).map(({ operation }) => operation);
    expect(operations[0]).toBe("s3-control:CreateJob");
    expect(operations).toContain("s3-control:DescribeJob");
    const texts = (seen ?? [])
      .filter(({ operation }) => operation === "s3:GetObject")
      .map(
        ({ input, output }) => [(input as { Key: string }).Key, (output as { text: string }).text] as const,
      );
    expect(texts.find(([key]) => key.endsWith("/manifest.csv"))?.[1]).toMatch(/^bucket-a,t1~/);
    expect(texts.find(([key]) => key.endsWith("/manifest.json"))?.[1]).toContain("Report_CSV_20180820");
    expect(texts.find(([key]) => /\/results\/.*\.csv$/.test(key))?.[1]).toContain("succeeded");
    expect(JSON.stringify(seen)).not.toContain("sandbox-secret");
    await expectNothingLeft();
  });
});
