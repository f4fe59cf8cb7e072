/** `tranship aws …`: what the commands ask a deployment for, what they print, and their exit codes. */

import { describe, expect, it } from "vitest";
import type { Deployment, DeploymentReport, NotifyReport } from "../../../src/ports/deployment.ts";
import { serviceWith, tranship } from "../../support/worlds/cli-world.ts";

const JOB = {
  source: { bucket: "bucket-a", prefix: "image/" },
  target: { bucket: "bucket-b", prefix: "avatar/" },
  inventory: { from: "bucket" },
  engine: "lambda-copy-log",
};
const readStdin = async () => Buffer.from(JSON.stringify(JOB));

/** A deployment of which only `parts` work. */
function deploymentWith(parts: Partial<Deployment>) {
  const told = { stores: [] as string[], closed: 0 };
  const close = () => {
    told.closed += 1;
  };
  const openDeployment = async (_: unknown, store: string) => {
    told.stores.push(store);
    return { close, ...parts } as Deployment;
  };
  return { told, parts: { readStdin, openDeployment } };
}

const NOTIFY: NotifyReport = {
  bucket: "bucket-b",
  queue: "arn:aws:sqs:eu-central-1:123456789012:tranship-copied",
  state: "planned",
  added: "<QueueConfiguration/>",
  replaced: [],
  others: 2,
  reasons: [],
};

describe("tranship aws", () => {
  it.each([
    [["aws"], "aws is followed by one of package, template, notify, check, forget"],
    [["aws", "--help"], "aws is followed by one of"],
    [["aws", "chekc", "-"], 'did you mean "aws check"?'],
    [["aws", "notify"], "JOB.json is missing"],
    [["aws", "forget", "1", "2"], 'unexpected argument "2"'],
    [["aws", "template", "--applly"], "unknown option --applly"],
  ])("%j is bad usage", async (args, message) => {
    const { code, err } = await tranship(args);
    expect(err).toContain(message);
    expect(code).toBe(2);
  });

  it("has help for each of its commands", async () => {
    const { out, code } = await tranship(["help", "aws", "notify"]);
    expect(out).toContain("Usage: tranship aws notify JOB.json [options]");
    expect(await tranship(["aws", "notify", "--help"])).toMatchObject({ out, code });
  });
});

describe("notify", () => {
  it("shows, and writes only with --apply", async () => {
    const asked: unknown[] = [];
    const { parts, told } = deploymentWith({
      notify: async (target, options) => {
        asked.push({ target: { bucket: target.bucket, prefix: target.prefix }, ...options });
        return { ...NOTIFY, state: options.apply ? "applied" : "planned" };
      },
    });
    const shown = await tranship(["aws", "notify", "-"], parts);
    expect(shown.code).toBe(0);
    expect(shown.out).toBe(
      "+ <QueueConfiguration/>\nentries of bucket-b that stay as they are: 2\nnothing was written: give --apply\n",
    );
    const applied = await tranship(["aws", "notify", "-", "--apply", "--queue", "arn:q"], parts);
    expect(applied.out).toContain("written, and read back");
    const target = { bucket: "bucket-b", prefix: "avatar/" };
    expect(asked).toEqual([
      { target, apply: false },
      { target, apply: true, queue: "arn:q" },
    ]);
    expect(told).toEqual({ stores: ["main", "main"], closed: 2 });
  });

  it("ends with 2 and the reasons where entries are in the way", async () => {
    const { parts } = deploymentWith({
      notify: async () => ({ ...NOTIFY, state: "refused", added: null, reasons: ["entry theirs tells …"] }),
    });
    const { code, out } = await tranship(["aws", "notify", "-", "--apply"], parts);
    expect(code).toBe(2);
    expect(out).toContain("nothing was written");
    expect(out).toContain("entry theirs tells …");
  });
});

describe("check", () => {
  const REPORT: DeploymentReport = {
    ok: true,
    steps: [{ name: "function", ok: true, detail: "tranship-copy version 7" }],
    findings: [],
    seen: null,
  };

  it("tries what the job's engine uses, a real job only when asked", async () => {
    const asked: unknown[] = [];
    const { parts } = deploymentWith({
      check: async (_, { signal: __, ...options }) => {
        asked.push(options);
        return REPORT;
      },
    });
    expect(await tranship(["aws", "check", "-"], parts)).toMatchObject({
      code: 0,
      out: "ok  function  tranship-copy version 7\nthe deployment works\n",
    });
    const lambda = async () => Buffer.from(JSON.stringify({ ...JOB, engine: "lambda" }));
    await tranship(["aws", "check", "-", "--batch-operations"], { ...parts, readStdin: lambda });
    expect(asked).toEqual([
      { batchOperations: false, copyLog: true },
      { batchOperations: true, copyLog: false },
    ]);
  });

  it("ends with 2 and the findings, and prints what was seen as JSON", async () => {
    const seen = [{ operation: "s3-control:CreateJob", input: {}, status: 200, output: { JobId: "1" } }];
    const { parts } = deploymentWith({
      check: async () => ({
        ok: false,
        steps: [{ name: "table", ok: false, detail: "" }],
        findings: [{ severity: "error", code: "table_missing", message: "there is no table" }],
        seen,
      }),
    });
    const { code, out } = await tranship(["aws", "check", "-"], parts);
    expect(code).toBe(2);
    expect(out).toContain(
      "no  table\nerror table_missing: there is no table\nthe deployment does not work yet\n",
    );
    expect(JSON.parse(out.slice(out.indexOf("["))) as unknown).toEqual(seen);
    const { out: json } = await tranship(["aws", "check", "-", "--json"], parts);
    expect(JSON.parse(json)).toMatchObject({ ok: false, seen });
  });
});

describe("forget", () => {
  it("names the consignments that the ledger has of the job, and removes only with --apply", async () => {
    const asked: unknown[] = [];
    const { parts } = deploymentWith({
      forget: async (job, { apply }) => {
        asked.push([job, apply]);
        return {
          jobId: job.id,
          bucket: "ops",
          keys: ["tranship/01job/1/manifest.csv"],
          records: 3,
          removed: apply,
        };
      },
    });
    const { compose } = serviceWith({ keptOnAws: async () => ({ store: "main", tokens: ["t1"] }) });
    const listed = await tranship(["aws", "forget", "01job"], { ...parts, compose });
    expect(listed).toMatchObject({
      code: 0,
      out: "  tranship/01job/1/manifest.csv\n1 object in ops, 3 records in the table; nothing was removed: give --apply\n",
    });
    const removed = await tranship(["aws", "forget", "01job", "--apply"], { ...parts, compose });
    expect(removed.out).toContain("removed: 1 object in ops, 3 records in the table\n");
    const job = { id: "01job", tokens: ["t1"] };
    expect(asked).toEqual([
      [job, false],
      [job, true],
    ]);
  });
});
