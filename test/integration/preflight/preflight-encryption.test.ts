/** Preflight says when copies will be encrypted otherwise than their sources; what it says is what then happens. */

import { describe, expect, it } from "vitest";
import { preflight } from "../../../src/jobs/preflight/preflight.ts";
import { bench, benchForEach } from "../../support/worlds/bench-for-each.ts";
import { imageKeys } from "../../support/worlds/workbench.ts";

const KEY = "arn:aws:kms:us-east-1:111122223333:key/one";
const OTHER = "arn:aws:kms:us-east-1:111122223333:key/another";
const JOB = {
  source: { bucket: "bucket-a", prefix: "image/" },
  target: { bucket: "bucket-b", prefix: "avatar/" },
};

benchForEach();

async function problems(kmsKeyId: string | null, byDefault: { algorithm: string; kmsKeyId?: string } | null) {
  const options = kmsKeyId === null ? {} : { serverSideEncryption: "aws:kms", kmsKeyId };
  for (const key of imageKeys(120)) bench.store.putObject("bucket-a", key, key, options);
  if (byDefault !== null) bench.store.createBucket("bucket-b", { encryption: byDefault });
  const report = await preflight(bench.parts, JOB, { canary: false });
  expect(report.ok).toBe(true);
  return report.problems.filter(({ code }) => code === "encryption_changes");
}

describe("the encryption of copies", () => {
  it.each([
    ["no KMS in the source", null, null],
    ["no KMS in the source, KMS in the target", null, { algorithm: "aws:kms", kmsKeyId: KEY }],
    ["the same key", KEY, { algorithm: "aws:kms", kmsKeyId: KEY }],
    ["the same key by its id", KEY, { algorithm: "aws:kms", kmsKeyId: "key/one" }],
    ["an alias, which may be any key", KEY, { algorithm: "aws:kms", kmsKeyId: "alias/mine" }],
    ["KMS without a key, which is the account's", KEY, { algorithm: "aws:kms" }],
  ])("is no problem with %s", async (_, source, target) => {
    expect(await problems(source, target)).toEqual([]);
  });

  it.each([
    ["S3's own keys", null, "now AES256"],
    ["another key", { algorithm: "aws:kms", kmsKeyId: OTHER }, `now aws:kms, key ${OTHER}`],
    ["another algorithm", { algorithm: "aws:kms:dsse", kmsKeyId: KEY }, `now aws:kms:dsse, key ${KEY}`],
  ])("is told to change where the target's default is %s, by a look at a few", async (_, target, now) => {
    bench.store.requests.reset();
    const [problem, ...more] = await problems(KEY, target);
    expect(more).toEqual([]);
    expect(problem).toMatchObject({
      severity: "warning",
      message: expect.stringContaining(`3 of 3 objects looked at are encrypted with aws:kms, key ${KEY}`),
      examples: [0, 9, 99].map((at) => imageKeys(120)[at]),
    });
    expect(problem?.message).toContain(now);
    expect(bench.store.requests.count("HeadObject")).toBe(3);
    const job = await bench.move({ references: [] });
    expect(job).toMatchObject({ state: "completed", objects: { moved: 120 } });
    const view = bench.store.getObject("bucket-b", "avatar/000000.png");
    expect(view?.serverSideEncryption).toBe(target?.algorithm ?? "AES256");
  });

  it("that nobody may ask for is left open, and fails nothing", async () => {
    bench.store.faults.add({ operation: "GetBucketEncryption", effect: { type: "access-denied" } });
    const [problem] = await problems(KEY, { algorithm: "aws:kms", kmsKeyId: KEY });
    expect(problem?.message).toContain("the store does not tell which that is");
  });
});
