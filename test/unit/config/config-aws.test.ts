/** The section `stores.NAME.aws`: its defaults, and what is wrong in it, each at its place. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readConfig } from "../../../src/config.ts";
import { parseFunctionArn, parseRoleArn } from "../../../src/domain/engines/aws-arns.ts";
import { awsSettings } from "../../../src/domain/engines/aws-settings.ts";
import { DomainError } from "../../../src/domain/errors.ts";

const directory = mkdtempSync(join(tmpdir(), "tranship-config-aws-"));
afterAll(() => rmSync(directory, { recursive: true }));

const FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:tranship-copy:7";
const AWS = {
  accountId: "123456789012",
  copyFunction: FUNCTION,
  jobRole: "arn:aws:iam::123456789012:role/ops/tranship-batch",
  manifests: { bucket: "ops" },
};

function read(aws: object, store: object = { region: "eu-central-1" }) {
  const path = join(directory, "config.json");
  writeFileSync(path, JSON.stringify({ stores: { main: { ...store, aws } } }));
  return readConfig(path, {}).stores.main?.aws;
}

/** Pointers after `/stores/main/aws`, with the messages. */
function faultsOf(aws: object, store?: object): [string, string][] {
  try {
    read(aws, store);
    return [];
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return error.faults.map(({ pointer, message }) => [pointer.replace("/stores/main/aws", ""), message]);
  }
}

describe("a section that is right", () => {
  it("gets its defaults, and its Region from the function", () => {
    expect(awsSettings(read(AWS))).toEqual({
      ...AWS,
      region: "eu-central-1",
      manifests: { bucket: "ops", prefix: "tranship/" },
      copyLogs: "Copy_Logs",
      functionTimeoutMs: 60_000,
      endpoints: {},
    });
  });

  it.each([
    ["without a Region of the store", AWS, {}],
    ["with a prefix of several parts", { ...AWS, manifests: { bucket: "ops", prefix: "a/b.c/d_e-f/" } }],
    ["with an empty prefix", { ...AWS, manifests: { bucket: "ops", prefix: "" } }],
    ["with a table and endpoints of its own", { ...AWS, copyLogs: "t-1", endpoints: { lambda: "http://l" } }],
    ["with prices only", { prices: { copyMillion: 5.4, batchJob: 0 } }],
    ["with nothing in it", {}],
  ])("is taken: %s", (_, aws, store = { region: "eu-central-1" }) => {
    expect(faultsOf(aws, store)).toEqual([]);
  });

  it("gives an engine nothing when it has prices only", () => {
    expect(awsSettings({ prices: { copyMillion: 1 } })).toBeNull();
    expect(awsSettings(undefined)).toBeNull();
  });
});

describe("a section that is wrong", () => {
  const arn = (text: string) => ({ ...AWS, copyFunction: text });
  it.each<[string, object, [string, RegExp][]]>([
    [
      "a function without a version",
      arn(FUNCTION.replace(":7", "")),
      [["/copyFunction", /version.*has none/]],
    ],
    ["$LATEST", arn(FUNCTION.replace(":7", ":$LATEST")), [["/copyFunction", /\$LATEST may change/]]],
    ["an alias", arn(FUNCTION.replace(":7", ":live")), [["/copyFunction", /alias/]]],
    ["version 0", arn(FUNCTION.replace(":7", ":0")), [["/copyFunction", /version's number/]]],
    ["no ARN", arn("tranship-copy:7"), [["/copyFunction", /arn:aws:lambda:REGION:ACCOUNT:function/]]],
    [
      "a function elsewhere",
      arn(FUNCTION.replace("eu-central", "us-east")),
      [["/copyFunction", /Region us-east-1, and the store in eu-central-1/]],
    ],
    [
      "a function of another account",
      arn(FUNCTION.replace("123456789012", "210987654321")),
      [["/copyFunction", /account 210987654321.*123456789012/]],
    ],
    [
      "a role of another account",
      { ...AWS, jobRole: "arn:aws:iam::210987654321:role/r" },
      [["/jobRole", /account 210987654321/]],
    ],
    [
      "a role of another partition",
      { ...AWS, jobRole: "arn:aws-cn:iam::123456789012:role/r" },
      [["/jobRole", /partition/]],
    ],
    ["a user for a role", { ...AWS, jobRole: "arn:aws:iam::123456789012:user/r" }, [["/jobRole", /role/]]],
    [
      "an account that is none",
      { ...AWS, accountId: "12345" },
      [
        ["/copyFunction", /12345/],
        ["/jobRole", /12345/],
        ["/accountId", /12 digits/],
      ],
    ],
    [
      "half of what an engine needs",
      { accountId: AWS.accountId, jobRole: AWS.jobRole },
      [
        ["/copyFunction", /together/],
        ["/manifests", /together/],
      ],
    ],
    [
      "manifests without a bucket",
      { ...AWS, manifests: { prefix: "x/" } },
      [["/manifests/bucket", /required/]],
    ],
    [
      "a bucket that cannot be",
      { ...AWS, manifests: { bucket: "No_Such" } },
      [["/manifests/bucket", /bucket name/]],
    ],
    [
      "a prefix that is no folder",
      { ...AWS, manifests: { bucket: "ops", prefix: "x" } },
      [["/manifests/prefix", /end with \//]],
    ],
    [
      "a prefix that needs encoding",
      { ...AWS, manifests: { bucket: "ops", prefix: "ü +/" } },
      [["/manifests/prefix", /letters/]],
    ],
    [
      "a prefix that is too long",
      { ...AWS, manifests: { bucket: "ops", prefix: `${"x".repeat(256)}/` } },
      [["/manifests/prefix", /256/]],
    ],
    [
      "a table's ARN",
      { ...AWS, copyLogs: "arn:aws:dynamodb:eu-central-1:123456789012:table/x" },
      [["/copyLogs", /no ARN/]],
    ],
    ["a negative price", { ...AWS, prices: { copyMillion: -1 } }, [["/prices/copyMillion", />= 0/]]],
    ["an unknown price", { ...AWS, prices: { copyBillion: 1 } }, [["/prices/copyBillion", /unknown field/]]],
    [
      "an endpoint that is no URL",
      { ...AWS, endpoints: { s3control: "localhost" } },
      [["/endpoints/s3control", /URL/]],
    ],
    [
      "an unknown endpoint",
      { ...AWS, endpoints: { sqs: "http://x" } },
      [["/endpoints/sqs", /unknown field/]],
    ],
    ["an unknown field", { ...AWS, acountId: "1" }, [["/acountId", /unknown field/]]],
  ])("is told so: %s", (_, aws, expected) => {
    const faults = faultsOf(aws);
    expect(faults.map(([pointer]) => pointer)).toEqual(expected.map(([pointer]) => pointer));
    for (const [i, [, message]] of faults.entries()) expect(message).toMatch(expected[i]?.[1] ?? /^$/);
  });
});

describe("ARNs", () => {
  it("are taken apart", () => {
    expect(parseFunctionArn("arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:a_b-c")).toEqual({
      partition: "aws-us-gov",
      region: "us-gov-west-1",
      accountId: "123456789012",
      name: "a_b-c",
      qualifier: null,
    });
    expect(parseRoleArn("arn:aws:iam::123456789012:role/a/b/name")).toMatchObject({ name: "a/b/name" });
  });

  it.each(["", "x", `${FUNCTION}:8`, ` ${FUNCTION}`, `${FUNCTION}\n`, FUNCTION.replace("lambda", "s3")])(
    "%j is none of a function",
    (text) => expect(parseFunctionArn(text)).toBeNull(),
  );

  it.each([
    "",
    "arn:aws:iam::12:role/r",
    "arn:aws:iam::123456789012:role/",
    "arn:aws:iam::123456789012:role/a b",
  ])("%j is none of a role", (text) => expect(parseRoleArn(text)).toBeNull());
});
