/** The engine of a job as users write it, change it, and find it in ledgers of earlier versions. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import Sqlite from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../../src/domain/canonical-json.ts";
import { DomainError } from "../../../src/domain/errors.ts";
import { parseJobSpec, patchedJobSpec, readJobSpec } from "../../../src/jobs/submit/parse-job-spec.ts";
import { digestOf } from "../../../src/stores/ledger/batches/digest.ts";
import { AWS_SETTINGS } from "../../support/aws-settings.ts";

const STORE = {
  isAws: true,
  settings: AWS_SETTINGS,
  prices: {},
  requestsPerSecond: null,
  bytesPerSecond: null,
};
const KNOWN = {
  ...{ stores: ["main"], databases: [] },
  engines: { available: ["lambda" as const], store: () => STORE },
};
const JOB = {
  source: { bucket: "bucket-a", prefix: "image/" },
  target: { bucket: "bucket-b", prefix: "avatar/" },
};

function pointersOf(work: () => unknown): string[] {
  try {
    work();
    return [];
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return error.faults.map(({ pointer }) => pointer);
  }
}

describe("a job's engine", () => {
  it("is the service unless it says otherwise, and then has no settings of functions", () => {
    expect(parseJobSpec(JOB, KNOWN)).toMatchObject({ engine: "service" });
    expect(Object.keys(parseJobSpec({ ...JOB, engine: "service" }, KNOWN))).not.toContain("lambda");
  });

  it("on AWS has the service update rows unless it says otherwise", () => {
    const spec = (more: object) => parseJobSpec({ ...JOB, engine: "lambda", ...more }, KNOWN).lambda;
    expect(spec({})).toEqual({ updates: "service" });
    expect(spec({ lambda: {} })).toEqual({ updates: "service" });
    expect(spec({ lambda: { updates: "function" } })).toEqual({ updates: "function" });
  });

  it("may be submitted again as the job shows it", () => {
    const spec = parseJobSpec({ ...JOB, engine: "lambda", lambda: { updates: "function" } }, KNOWN);
    expect(parseJobSpec(spec, KNOWN)).toEqual(spec);
  });

  it.each<[string, object, string[]]>([
    ["settings without the engine", { lambda: { updates: "function" } }, ["/lambda"]],
    ["settings that are none", { engine: "lambda", lambda: { updates: "both" } }, ["/lambda/updates"]],
    ["no object", { engine: "lambda", lambda: null }, ["/lambda"]],
    ["an ARN", { engine: "lambda", lambda: { copyFunction: "arn:aws:x" } }, ["/lambda/copyFunction"]],
    ["a table", { engine: "lambda", lambda: { copyLogs: "x" } }, ["/lambda/copyLogs"]],
    ["an engine that this version does not have", { engine: "lambda-copy-log" }, ["/engine"]],
    [
      "a limit that cannot be held",
      { engine: "lambda", limits: { bytesPerSecond: 5 } },
      ["/limits/bytesPerSecond"],
    ],
  ])("is refused with %s", (_, more, expected) => {
    expect(pointersOf(() => parseJobSpec({ ...JOB, ...more }, KNOWN))).toEqual(expected);
  });

  it("is refused where nothing is known of engines", () => {
    const names = { stores: ["main"], databases: [] };
    expect(pointersOf(() => parseJobSpec({ ...JOB, engine: "lambda" }, names))).toEqual(["/engine"]);
  });

  it("is not given limits later that it cannot hold", () => {
    const spec = parseJobSpec({ ...JOB, engine: "lambda" }, KNOWN);
    const patch = (limits: object) => pointersOf(() => patchedJobSpec(spec, { limits }, KNOWN));
    expect(patch({ bytesPerSecond: 5 })).toEqual(["/limits/bytesPerSecond"]);
    expect(patch({ requestsPerSecond: 1 })).toEqual(["/limits/requestsPerSecond"]);
    expect(patch({ requestsPerSecond: 100 })).toEqual([]);
  });
});

describe("the canonical form of a job without an engine on AWS", () => {
  it("is the one it had before there were any", () => {
    const digest = "e726eaad06ef66b47b6867322d11a40f9a7b2eea9d2f505cd055e7eb08d3de9b";
    expect(digestOf(canonicalJson(parseJobSpec(JOB, KNOWN)))).toBe(digest);
  });

  it("is the one in a ledger of an earlier version: repeated requests find their jobs", () => {
    const directory = mkdtempSync(join(tmpdir(), "tranship-older-"));
    const fixture = new URL("../../fixtures/older-ledgers/sqlite-ledger.db.gz", import.meta.url);
    const file = join(directory, "ledger.db");
    writeFileSync(file, gunzipSync(readFileSync(fixture)));
    const ledger = new Sqlite(file, { readonly: true });
    const jobs = ledger
      .prepare<[], { spec: string; spec_digest: string }>("SELECT spec, spec_digest FROM tranship_jobs")
      .all();
    ledger.close();
    rmSync(directory, { recursive: true });
    expect(jobs.length).toBeGreaterThan(5);
    for (const { spec, spec_digest } of jobs)
      expect(digestOf(canonicalJson(readJobSpec(JSON.parse(spec))))).toBe(spec_digest);
  });
});
