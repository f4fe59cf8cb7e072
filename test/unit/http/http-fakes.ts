/** A fake of `Jobs`, and an HTTP server over it whose log can be read. */

import type { FastifyInstance } from "fastify";
import pino from "pino";
import { afterAll, beforeAll, beforeEach } from "vitest";
import type { TokenConfig } from "../../../src/config.ts";
import { DomainError } from "../../../src/domain/errors.ts";
import { buildServer } from "../../../src/http/server.ts";
import type { Jobs } from "../../../src/jobs/jobs.ts";
import type { PreflightReport } from "../../../src/jobs/preflight/preflight-report.ts";
import type { JobView } from "../../../src/jobs/view/job-view.ts";
import type { BatchSummary, ObjectHistory } from "../../../src/ports/ledger.ts";
import { AVATARS } from "../../support/job-spec.ts";

export const AT = Date.UTC(2026, 10, 1, 12);
export const AT_ISO = "2026-11-01T12:00:00.000Z";

export const JOB: JobView = {
  id: "01jbq2x3y4z5a6b7c8d9e0f1g2",
  name: "avatars",
  state: "waiting",
  waiting: { reason: "window", since: AT_ISO, until: AT_ISO, detail: "opens at 22:00" },
  reason: null,
  objects: { planned: 5, copied: 4, verified: 3, updated: 2, moved: 1, skipped: 1, exceptions: 1 },
  rows: { updated: 2 },
  bytes: 500,
  rate: { objectsPerSecond: 12.5, bytesPerSecond: 1000 },
  percent: 60,
  planDone: true,
  expected: null,
  finishAt: AT_ISO,
  finishOpenings: 3,
  seconds: 1.5,
  requests: { list: 1, copy: 4, head: 0, delete: 1, other: 0, throttled: 0 },
  statements: { app: 3 },
  spec: AVATARS,
  approvedBy: null,
  version: 7,
  createdAt: AT_ISO,
  updatedAt: AT_ISO,
  startedAt: AT_ISO,
  finishedAt: null,
};

export const REPORT: PreflightReport = {
  ok: false,
  objects: 5,
  bytes: 500,
  rows: { "app.images.path": 5, "app.images.thumb": null },
  requests: { list: 1, copy: 5, head: 0, delete: 1 },
  estimatedCostUsd: 0.01,
  estimatedSeconds: 3,
  finishAt: null,
  engines: [
    { name: "service", seconds: 3, dollars: null, boundBy: "concurrency", chosen: true, why: "the only one" },
  ],
  prices: "list prices",
  protection: { copies: "unknown", deletions: "unknown", copyGapMs: null },
  problems: [{ severity: "error", code: "target_inside_source", message: "inside", examples: ["a"] }],
};

const stage = { startedAt: AT, endedAt: null, attempts: 1 };

export const BATCH: BatchSummary = {
  seq: 1,
  state: "copied",
  planned: 5,
  moved: 1,
  skipped: 1,
  exceptions: 1,
  bytes: 500,
  rowsUpdated: 2,
  firstKey: "image/a",
  lastKey: "image/é",
  worker: null,
  plannedAt: AT,
  copy: stage,
  verify: stage,
  update: stage,
  delete: { startedAt: null, endedAt: null, attempts: 0 },
};

export const OBJECT: ObjectHistory = {
  key: "image/a",
  batch: 1,
  batchState: "copied",
  size: 100,
  etag: "abc",
  targetEtag: null,
  rows: 1,
  outcome: { kind: "exception", code: "target_exists", message: "there is one" },
  worker: "one",
  plannedAt: AT,
  copiedAt: AT,
  verifiedAt: null,
  updatedAt: null,
  deletedAt: null,
};

export interface Call {
  readonly method: keyof Jobs;
  readonly given: readonly unknown[];
}

/** Jobs that answer with the constants above, write down what they were asked, and fail when told to. */
export class FakeJobs implements Jobs {
  readonly calls: Call[] = [];
  readonly #known = new Set<string>();
  /** Thrown by every method. */
  error: unknown = null;

  async submit(...given: Parameters<Jobs["submit"]>) {
    this.#note("submit", given);
    const key = given[1].idempotencyKey;
    const created = key === null || !this.#known.has(key);
    if (key !== null) this.#known.add(key);
    return { job: JOB, created };
  }
  async preflight(...given: Parameters<Jobs["preflight"]>) {
    this.#note("preflight", given);
    return REPORT;
  }
  async list(...given: Parameters<Jobs["list"]>) {
    this.#note("list", given);
    return { items: [JOB], next: "after-one" };
  }
  async get(...given: Parameters<Jobs["get"]>) {
    this.#note("get", given);
    if (given[0] !== JOB.id) throw new DomainError("not_found", `There is no job ${given[0]}.`);
    return JOB;
  }
  async act(...given: Parameters<Jobs["act"]>) {
    this.#note("act", given);
    return JOB;
  }
  async amend(...given: Parameters<Jobs["amend"]>) {
    this.#note("amend", given);
    return JOB;
  }
  async batches(...given: Parameters<Jobs["batches"]>) {
    this.#note("batches", given);
    return { items: [BATCH], next: null };
  }
  async exceptions(...given: Parameters<Jobs["exceptions"]>) {
    this.#note("exceptions", given);
    const item = { id: 9, batch: 1, key: "image/b", stage: "copy", code: "target_exists" } as const;
    return { items: [{ ...item, message: "there is one", advice: "remove it", at: AT }], next: "after-nine" };
  }
  async audit(...given: Parameters<Jobs["audit"]>) {
    this.#note("audit", given);
    return { items: [{ id: 1, at: AT, actor: "ci", action: "submit", detail: "" }], next: null };
  }
  async object(...given: Parameters<Jobs["object"]>) {
    this.#note("object", given);
    return OBJECT;
  }
  async ready() {
    this.#note("ready", []);
  }

  #note(method: keyof Jobs, given: readonly unknown[]): void {
    this.calls.push({ method, given });
    if (this.error !== null) throw this.error;
  }
}

export interface Door {
  readonly app: FastifyInstance;
  readonly jobs: FakeJobs;
  /** What was logged, one object a line. */
  readonly lines: Record<string, unknown>[];
}

export async function openDoor(tokens: readonly TokenConfig[] = []): Promise<Door> {
  const lines: Record<string, unknown>[] = [];
  const logger = pino({ level: "debug" }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const jobs = new FakeJobs();
  const app = await buildServer({ jobs, tokens, logger, version: "1.2.3" });
  return { app, jobs, lines };
}

/** The door of the file whose tests run. */
export let door: Door;

/** Opens `door` for the tests of a file and closes it after them; each finds no calls, no lines and no error. */
export function doorForAll(tokens: readonly TokenConfig[] = []): void {
  beforeAll(async () => {
    door = await openDoor(tokens);
  });
  afterAll(() => door.app.close());
  beforeEach(() => {
    door.jobs.error = null;
    door.jobs.calls.length = 0;
    door.lines.length = 0;
  });
}

/** Every route behind the door with the scope it asks for. */
export const GUARDED = [
  ["POST", "/jobs", "operate"],
  ["POST", "/jobs/preflight", "read"],
  ["POST", "/jobs/preflight?canary=true", "operate"],
  ["GET", "/jobs", "read"],
  ["GET", `/jobs/${JOB.id}`, "read"],
  ["PATCH", `/jobs/${JOB.id}`, "operate"],
  ["POST", `/jobs/${JOB.id}/pause`, "operate"],
  ["POST", `/jobs/${JOB.id}/resume`, "operate"],
  ["POST", `/jobs/${JOB.id}/cancel`, "operate"],
  ["POST", `/jobs/${JOB.id}/retry`, "operate"],
  ["POST", `/jobs/${JOB.id}/approve`, "approve"],
  ["GET", `/jobs/${JOB.id}/batches`, "read"],
  ["GET", `/jobs/${JOB.id}/exceptions`, "read"],
  ["GET", `/jobs/${JOB.id}/audit`, "read"],
  ["GET", `/jobs/${JOB.id}/objects?key=image/a`, "read"],
] as const;
