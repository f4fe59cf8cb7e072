/** Schemas of answers about jobs; a test keeps them equal to the types of `jobs/`. */

import { type TSchema, Type } from "typebox";
import { JOB_STATES } from "../domain/job-state.ts";

const closed = { additionalProperties: false } as const;

/** `schema` or null. */
export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
/** A count, ≥ 0. */
export const Count = Type.Integer({ minimum: 0 });
/** A time in ISO 8601. */
export const Instant = Type.String({ format: "date-time", description: "ISO 8601, UTC" });

/** Gives a schema a name, so that the document contains it once. */
export const named = (name: string) => ({ ...closed, $id: name, title: name });

const Requests = Type.Object(
  { list: Count, copy: Count, head: Count, delete: Count, other: Count, throttled: Count },
  {
    ...closed,
    description: "Requests sent to stores so far; `throttled` counts the rejected ones among them",
  },
);

const Statements = Type.Record(Type.String(), Count, {
  description: "Statements sent to production databases so far, by database",
});

const Waiting = Type.Object(
  {
    reason: Type.Enum(["window", "approval", "grace", "throttled", "database", "engine"]),
    since: Instant,
    until: nullable(Instant),
    detail: Type.String(),
  },
  { ...closed, description: "What it waits for, since when, and until when if that is known" },
);

const Expected = Type.Object(
  { objects: Count, bytes: nullable(Count) },
  {
    ...closed,
    description:
      "About what the whole inventory will give, counted beside the first copies of a job that takes long to plan; " +
      "bytes only of an inventory from the bucket",
  },
);

/** Schema of `JobView`. */
export const JobSchema = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    state: Type.Enum([...JOB_STATES]),
    waiting: nullable(Waiting),
    reason: nullable(Type.String({ description: "Why it is paused or failed" })),
    objects: Type.Object(
      {
        planned: Count,
        copied: Count,
        verified: Count,
        updated: Count,
        moved: Count,
        skipped: Count,
        exceptions: Count,
      },
      { ...closed, description: "Objects by how far they came" },
    ),
    rows: Type.Object({ updated: Count }, closed),
    bytes: Type.Integer({ minimum: 0, description: "Bytes of the planned objects" }),
    rate: Type.Object({ objectsPerSecond: Type.Number(), bytesPerSecond: Type.Number() }, closed),
    percent: nullable(
      Type.Number({ minimum: 0, maximum: 100, description: "Known once everything is planned or counted" }),
    ),
    planDone: Type.Boolean({ description: "Whether the whole inventory is planned" }),
    expected: nullable(Expected),
    finishAt: nullable(Instant),
    finishOpenings: nullable(
      Type.Integer({ description: "Openings of its windows until then, the present one included" }),
    ),
    seconds: Type.Number({ description: "Time spent running" }),
    requests: Requests,
    statements: Statements,
    spec: Type.Unsafe({
      type: "object",
      description: "What the job asks for, like JobRequest with every default filled in",
      additionalProperties: true,
    }),
    approvedBy: nullable(Type.String()),
    version: Type.Integer({ minimum: 0, description: "The ETag's number" }),
    createdAt: Instant,
    updatedAt: Instant,
    startedAt: nullable(Instant),
    finishedAt: nullable(Instant),
  },
  named("Job"),
);

const Problems = Type.Array(
  Type.Object(
    {
      severity: Type.Enum(["error", "warning"]),
      code: Type.String({ description: "Stable, e.g. target_inside_source" }),
      message: Type.String(),
      examples: Type.Array(Type.String()),
    },
    closed,
  ),
  { description: "An error would make the job be refused or lose its way; a warning asks you to look first" },
);

const GuardedBy = Type.Enum(["store", "look", "unknown"], {
  description: "By the store's conditions, by looks immediately before, or not shown yet: send a canary",
});

const EngineEstimateSchema = Type.Object(
  {
    name: Type.Enum(["service", "lambda", "lambda-copy-log"]),
    seconds: Type.Number({ minimum: 0, description: "Of copying; a lower bound" }),
    dollars: nullable(
      Type.Number({ minimum: 0, description: "US dollars; null where prices are not known" }),
    ),
    boundBy: Type.Enum(
      ["concurrency", "requestsPerSecond", "bytesPerSecond", "prefix", "process", "functions", "table"],
      { description: "What a faster run would have to change first" },
    ),
    chosen: Type.Boolean({ description: "Whether it is the one to take" }),
    why: Type.String(),
  },
  { ...closed, description: "Time, cost and bound of the job with an engine" },
);

/** Schema of `PreflightReport`. */
export const PreflightSchema = Type.Object(
  {
    ok: Type.Boolean({ description: "Whether no problem is an error" }),
    objects: Count,
    bytes: Count,
    rows: Type.Record(Type.String(), nullable(Count), {
      description: "Rows that would change, by database.table.column; null where they were not counted",
    }),
    requests: Type.Object({ list: Count, copy: Count, head: Count, delete: Count }, closed),
    estimatedCostUsd: Type.Number({
      description: "With the job's engine at `prices`, S3 Standard, same Region",
    }),
    estimatedSeconds: Type.Number({ description: "With the job's engine and limits; a lower bound" }),
    finishAt: nullable(Instant),
    engines: Type.Array(EngineEstimateSchema, {
      description: "Each engine that the store may have, the service first; empty where nothing was counted",
    }),
    prices: Type.String({ description: "What `dollars` are counted with" }),
    protection: Type.Object(
      {
        copies: GuardedBy,
        deletions: GuardedBy,
        copyGapMs: nullable(Type.Number({ description: "Median from a look to the end of its copy" })),
      },
      { ...closed, description: "What keeps others' objects from being replaced or deleted on this store" },
    ),
    problems: Problems,
  },
  named("PreflightReport"),
);

/** Schema of a page of items of the schema named `item`. */
export const pageSchema = (item: string) =>
  Type.Object(
    {
      items: Type.Array(Type.Ref(item)),
      next: nullable(Type.String({ description: "The next page's `cursor`; null at the end" })),
    },
    named(`${item}Page`),
  );
