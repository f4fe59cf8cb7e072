/** docs/aws/deployment.md, followed step by step by the executable: on doubles, with its `aws` commands held against the template. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DeployedWorld, startDeployedWorld } from "../support/aws/deployed-world.ts";
import { credentials } from "../support/sandbox-client.ts";
import { type Ended, spawnTranship } from "../support/service.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/aws/deployment.md"), "utf8");

/** The page's blocks of `language`, as they stand. */
function blocks(language: string): string[] {
  return [...PAGE.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, "gm"))].map(
    ([, text = ""]) => text,
  );
}

const COMMANDS = blocks("sh").flatMap((block) => block.trim().split("\n"));

interface Template {
  readonly Parameters: Readonly<Record<string, { readonly Default?: unknown }>>;
  readonly Outputs: Readonly<Record<string, unknown>>;
}

let world: DeployedWorld;
let directory: string;
const ended: (Ended & { readonly command: string })[] = [];

/** Runs a `tranship` command of the page in the directory; `> FILE` writes its output there. */
async function follow(command: string): Promise<Ended> {
  const [words = "", file] = command.split(" > ");
  const args = words.split(" ").slice(1);
  const result = await spawnTranship(args, { cwd: directory }).ended;
  if (file !== undefined) writeFileSync(join(directory, file), result.stdout);
  ended.push({ ...result, command });
  return result;
}

/** The page's files, with what reaches the doubles. */
function writeFiles(): void {
  const [config = "", job = ""] = blocks("json");
  const given = JSON.parse(config) as { stores: { main: { aws: object } } };
  const main = { ...given.stores.main, ...credentials, endpoint: world.endpoints.s3, forcePathStyle: true };
  const { s3: _, ...endpoints } = world.endpoints;
  Object.assign(main, { aws: { ...given.stores.main.aws, functionTimeoutSeconds: 1, endpoints } });
  writeFileSync(join(directory, "tranship.json"), JSON.stringify({ ...given, stores: { main } }));
  // The grace period of a job that gives none is longer than a test.
  writeFileSync(join(directory, "job.json"), JSON.stringify({ ...JSON.parse(job), delete: { after: "0s" } }));
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "tranship-page-"));
  world = await startDeployedWorld("ops-example");
  world.deployed.configuration = { State: "Active", Timeout: 1, Runtime: "nodejs24.x" };
  for (let n = 0; n < 30; n += 1) world.store.putObject("bucket-a", `image/${n}.jpg`, `picture ${n}`);
  writeFiles();
  let jobId = "JOB_ID";
  for (const command of COMMANDS.filter((one) => one.startsWith("tranship "))) {
    const result = await follow(command.replace("JOB_ID", jobId).replace(/^tranship run .*/, "$& --json"));
    if (command.startsWith("tranship run")) {
      jobId = (JSON.parse(result.stdout.trim().split("\n").at(-1) ?? "{}") as { jobId: string }).jobId;
      // So small a job is copied by the service: what a larger one would leave.
      world.store.putObject("ops-example", `tranship/${jobId}/1/manifest.csv`, "bucket-a,t1~");
    }
  }
}, 120_000);

afterAll(async () => {
  await world.close();
  rmSync(directory, { recursive: true, force: true });
});

describe("the page's tranship commands", () => {
  it("all end with 0", () => {
    expect(ended.length).toBeGreaterThanOrEqual(10);
    expect(ended.filter(({ end }) => end !== 0)).toEqual([]);
  });

  it("move the objects, and leave nothing of theirs", async () => {
    const names = Array.from({ length: 30 }, (_, n) => `${n}.jpg`).sort();
    expect(world.store.listKeys("bucket-b")).toEqual(names.map((name) => `avatar/${name}`));
    expect(world.store.listKeys("bucket-a")).toEqual([]);
    expect(world.store.listKeys("ops-example")).toEqual([]);
    expect(await world.table.rows()).toEqual({});
    expect(world.deployed.notification).toContain("<Value>avatar/</Value>");
  });

  it("list what is left of a job before they remove it", () => {
    const [listed, removed] = ended.filter(({ command }) => command.startsWith("tranship aws forget"));
    expect(listed?.stdout).toContain(
      "/1/manifest.csv\n1 object in ops-example, 0 records in the table; nothing was",
    );
    expect(removed?.stdout).toContain("removed: 1 object in ops-example");
  });

  it("show a real job of Batch Operations in a form that can be kept", () => {
    const { stdout } = ended.find(({ command }) => command.includes("--batch-operations"))!;
    const seen = JSON.parse(stdout.slice(stdout.indexOf("\n[") + 1)) as { operation: string }[];
    expect(seen.map(({ operation }) => operation)).toEqual(
      expect.arrayContaining(["s3-control:CreateJob", "s3-control:DescribeJob", "s3:GetObject"]),
    );
  });
});

describe("the page's aws commands", () => {
  const template = () => JSON.parse(readFileSync(join(directory, "template.json"), "utf8")) as Template;
  const deploy = COMMANDS.find((command) => command.startsWith("aws cloudformation deploy"))!;

  it("give each parameter that has no default, and no other than the template's", () => {
    const given = [...deploy.matchAll(/ (\w+)=\S+/g)].map(([, name = ""]) => name);
    const { Parameters } = template();
    expect(given.filter((name) => !(name in Parameters))).toEqual([]);
    const needed = Object.keys(Parameters).filter((name) => Parameters[name]?.Default === undefined);
    expect(needed.filter((name) => !given.includes(name))).toEqual([]);
    expect(deploy).toContain("--capabilities CAPABILITY_IAM");
    expect(JSON.stringify(template())).not.toContain('"RoleName"');
  });

  it("upload the packages to where the template looks for them", () => {
    const [, from, bucket, prefix] = /aws s3 cp (\S+) s3:\/\/([^/]+)\/(\S*) --recursive/.exec(
      COMMANDS.join("\n"),
    )!;
    expect(COMMANDS[0]).toContain(`--out ${from}`);
    expect(deploy).toContain(`CodeBucket=${bucket} CodePrefix=${prefix} `);
    const keys = [...JSON.stringify(template()).matchAll(/\{CodePrefix\}([\w.-]+\.zip)/g)].map(
      ([, key = ""]) => key,
    );
    expect(keys).toHaveLength(2);
    const written = ended[0]!.stdout;
    for (const key of keys) expect(written).toContain(join("functions", key));
  });

  it("tell what the configuration asks for", () => {
    const { Outputs } = template();
    for (const name of ["AccountId", "CopyFunction", "JobRole", "ManifestsBucket", "CopyLogs"])
      expect(Outputs).toHaveProperty(name);
  });
});

describe("the page", () => {
  it("names every finding of a check, and no other", () => {
    const folder = join(import.meta.dirname, "../../src/engines/aws/deployment");
    const files = ["check-function", "check-table", "check-manifests", "check-events", "check-parts"].concat([
      "canary-object",
      "canary-copy",
      "canary-job",
    ]);
    const source = files.map((file) => readFileSync(join(folder, `${file}.ts`), "utf8")).join("\n");
    const codes = [...source.matchAll(/\b(?:error|warning)\(\s*"(\w+)"/g)].map(([, code = ""]) => code);
    const section = PAGE.slice(PAGE.indexOf("## How a failure looks"), PAGE.indexOf("## Cannot be tried"));
    const named = [...section.matchAll(/`([a-z]+_[a-z_]+)`/g)].map(([, code = ""]) => code);
    expect([...new Set(named)].sort()).toEqual([...new Set(codes)].sort());
  });
});
