/** The commands that work on a job here: plan and run; and the exit codes. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exitCodeOfLook, exitCodeOfState } from "../../../src/cli/exit-code.ts";
import { reportText } from "../../../src/cli/rendering/report-text.ts";
import type { Tranship } from "../../../src/compose.ts";
import { DomainError } from "../../../src/domain/errors.ts";
import { JOB_STATES } from "../../../src/domain/job-state.ts";
import type { PreflightReport } from "../../../src/jobs/preflight/preflight-report.ts";
import { summaryOf } from "../../../src/jobs/view/job-view.ts";
import { ReadBack, serviceWith, tranship, viewWith } from "../../support/worlds/cli-world.ts";

const directory = mkdtempSync(join(tmpdir(), "tranship-cli-"));
const job = join(directory, "job.json");
const SPEC = { source: { bucket: "bucket-a" }, target: { bucket: "bucket-b" } };
beforeAll(() => writeFileSync(job, `\ufeff${JSON.stringify(SPEC)}`));
afterAll(() => rmSync(directory, { recursive: true }));

const report: PreflightReport = {
  ok: true,
  objects: 20_000,
  bytes: 5_123_456,
  rows: { "app.images.path": 20_400, "app.old.path": null },
  requests: { list: 40, copy: 20_000, head: 0, delete: 20 },
  estimatedCostUsd: 0.1002,
  estimatedSeconds: 7,
  finishAt: "2026-10-01T12:00:07.000Z",
  engines: [
    {
      ...{ name: "service", seconds: 7, dollars: null, boundBy: "concurrency", chosen: true },
      why: "the only engine for a store that is not AWS",
    },
  ],
  prices: "list prices",
  protection: { copies: "store", deletions: "store", copyGapMs: null },
  problems: [],
};
const warning = {
  severity: "warning",
  code: "no_index",
  message: "no index",
  examples: ["app.old.path"],
} as const;
const error = {
  severity: "error",
  code: "target_inside_source",
  message: "inside",
  examples: ["a\tb"],
} as const;

describe("the code a job ends with", () => {
  it.each([
    ["completed", 0, 0],
    ["completed_with_exceptions", 3, 3],
    ["failed", 1, 1],
    ["cancelled", 1, 1],
    ["queued", 1, 0],
    ["running", 1, 0],
    ["waiting", 1, 0],
    ["pausing", 1, 0],
    ["paused", 1, 0],
    ["cancelling", 1, 0],
  ] as const)("%s: %d; after a mere look: %d", (state, code, look) => {
    expect([exitCodeOfState(state), exitCodeOfLook(state)]).toEqual([code, look]);
  });

  it("is known for every state", () => expect(JOB_STATES).toHaveLength(10));
});

describe("plan", () => {
  const jobs = (answer: PreflightReport | Error, seen: unknown[] = []) =>
    serviceWith({
      jobs: {
        preflight: async (input: unknown, options: { canary: boolean }) => {
          seen.push(input, options.canary);
          if (answer instanceof Error) throw answer;
          return answer;
        },
      } as Tranship["jobs"],
    });

  it("prints numbers, then problems, errors first", () => {
    expect(reportText({ ...report, ok: false, problems: [warning, error] })).toBe(
      [
        "Preflight: not ok: 1 error, 1 warning",
        "",
        "  objects     20,000",
        "  bytes       5.1 MB (5,123,456)",
        "  rows        app.images.path: 20,400",
        "              app.old.path: not counted",
        "  requests    20,060 (list 40, copy 20,000, head 0, delete 20)",
        "  cost        about $0.10 at AWS list prices",
        "  guarded by  copies: the store, deletions: the store",
        "  duration    at least 7s, done about 2026-10-01T12:00:07.000Z",
        "",
        "error target_inside_source: inside",
        "    a\ufffdb",
        "",
        "warning no_index: no index",
        "    app.old.path",
        "",
      ].join("\n"),
    );
    expect(reportText({ ...report, rows: {}, finishAt: null })).toContain("none: the job has no references");
    expect(reportText({ ...report, problems: [warning, warning] })).toMatch(
      /^Preflight: ok, with 2 warnings\n/,
    );
  });

  it("hands the job over, and the canary only when asked to", async () => {
    const seen: unknown[] = [];
    const service = jobs(report, seen);
    expect(await tranship(["plan", job], service)).toMatchObject({
      code: 0,
      out: reportText(report),
      err: "",
    });
    await tranship(["plan", "--canary", "-"], { ...service, readStdin: async () => Buffer.from("[1]") });
    expect(seen).toEqual([SPEC, false, [1], true]);
    expect(service.told.closed).toBe(2);
  });

  it("ends with 2 when there are errors, and prints the report as JSON", async () => {
    const bad = { ...report, ok: false, problems: [error] };
    const { code, out } = await tranship(["plan", "--json", job], jobs(bad));
    expect(code).toBe(2);
    expect(JSON.parse(out)).toEqual(bad);
  });

  it("lists every fault on a line of its own", async () => {
    const faults = [
      { pointer: "", message: "not an object" },
      { pointer: "/source/bucket", message: "missing, and required" },
    ];
    const list = "/: not an object; /source/bucket: missing, and required";
    const refusal = new DomainError("invalid_input", `the job is not valid: ${list}`, { faults });
    const service = jobs(refusal);
    const { code, err, out } = await tranship(["plan", "--json", job], service);
    expect(err).toBe(
      "tranship: the job is not valid\n  /: not an object\n  /source/bucket: missing, and required\n",
    );
    expect(JSON.parse(out)).toEqual({ error: { code: "invalid_input", message: refusal.message, faults } });
    expect(code).toBe(2);
    expect(service.told.closed).toBe(1);
  });

  it.each([
    ["store_unavailable", 1],
    ["bucket_missing", 2],
    ["ledger_unavailable", 1],
  ] as const)("%s ends with %d", async (code, exit) => {
    const told = await tranship(["plan", job], jobs(new DomainError(code, "because")));
    expect(told).toMatchObject({ code: exit, err: "tranship: because\n" });
  });
});

describe("run", () => {
  const ending = (view: ReturnType<typeof viewWith>) => serviceWith({ runToEnd: async () => view });

  it.each([
    ["completed", 0],
    ["completed_with_exceptions", 3],
    ["failed", 1],
    ["cancelled", 1],
    ["paused", 1],
  ] as const)("of a job that ends %s gives %d and the summary as the last line", async (state, code) => {
    const view = viewWith({ state });
    const told = await tranship(["run", job, "--json"], ending(view));
    expect(told.code).toBe(code);
    expect(JSON.parse(told.out.trimEnd().split("\n").at(-1) ?? "")).toEqual(summaryOf(view));
  });

  it("tells people what was done", async () => {
    const told = await tranship(["run", job], ending(viewWith({ state: "completed", percent: 100 })));
    expect(told.out).toBe(
      "completed: 10,000 of 20,000 objects moved, 0 skipped, 0 exceptions\n" +
        "  10,200 rows updated, 5.0 MB, 8s, 10,050 requests (0 throttled)\n",
    );
  });

  it("shows progress on stderr", async () => {
    const output = new ReadBack(true, 100);
    const service = serviceWith({
      runToEnd: async (_, { onProgress }) => {
        onProgress?.(viewWith());
        return viewWith({ state: "completed" });
      },
    });
    await tranship(["run", job], { ...service, output });
    expect(output.stderr).toContain("10,000/20,000");
    expect(output.stdout).toMatch(/^completed: /);
  });

  it("says that it can be given again when it was stopped", async () => {
    const stop = AbortSignal.abort();
    const told = await tranship(["run", job], { ...ending(viewWith()), stopSignal: () => stop });
    expect(told.err).toContain("Give the same command again to go on.");
    expect(told.code).toBe(1);
  });

  it("closes the service when the run fails, and shows where an unexpected error came from", async () => {
    const service = serviceWith({ runToEnd: () => Promise.reject(new TypeError("oops")) });
    const told = await tranship(["run", job], service);
    expect(told.code).toBe(1);
    expect(told.err).toMatch(/^tranship: oops\nTypeError: oops\n {4}at /);
    expect(service.told.closed).toBe(1);
  });
});
