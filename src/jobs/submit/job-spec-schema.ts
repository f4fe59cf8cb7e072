/** `JobRequest` and `JobPatch`: the schemas of a job as users send it, for validation, types and documentation. */

import { type Static, Type } from "typebox";

const closed = { additionalProperties: false } as const;

const Name = Type.String({ minLength: 1, maxLength: 200 });
/** Bucket names: 3–63 characters (S3 user guide); dots and hyphens allowed. */
const BUCKET = "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$";
const Bucket = Type.String({ pattern: BUCKET, description: "Name of a bucket" });
const Prefix = Type.String({
  maxLength: 1024,
  default: "",
  description: "Key prefix, exact; empty is the whole bucket",
});
/** SQL identifiers are quoted in statements, and still restricted to unambiguous characters: letters, digits, `_`, `$`, `-`. */
const IDENTIFIER = "^[\\p{L}\\p{N}_$-]{1,64}$";
const Identifier = Type.String({ pattern: IDENTIFIER, description: "SQL identifier" });
const Literally = (...values: string[]) => Type.Union(values.map((value) => Type.Literal(value)));
const Nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);
const Rate = Type.Union([Type.Number({ exclusiveMinimum: 0, maximum: 1e12 }), Type.Null()]);
const ColumnValue = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]);
const Columns = Type.Record(Type.String(), ColumnValue);

const Location = Type.Object(
  {
    store: Type.Optional(
      Type.String({ minLength: 1, default: "main", description: "Name of a configured store" }),
    ),
    bucket: Bucket,
    prefix: Type.Optional(Prefix),
  },
  closed,
);

const Inventory = Type.Object(
  {
    from: Literally("bucket", "database", "manifest"),
    store: Type.Optional(
      Type.String({ minLength: 1, description: "Of a manifest; default: the source's store" }),
    ),
    bucket: Type.Optional(Bucket),
    key: Type.Optional(Type.String({ minLength: 1, maxLength: 1024, description: "Of a manifest: its key" })),
  },
  closed,
);

const Reference = Type.Object(
  {
    database: Type.String({ minLength: 1, description: "Name of a configured database" }),
    table: Identifier,
    key: Identifier,
    column: Identifier,
    set: Type.Optional(Columns),
    urlPrefix: Type.Optional(Nullable(Type.String({ minLength: 1, maxLength: 1024 }))),
    where: Type.Optional(Columns),
    keepUpdatedAt: Type.Optional(Type.Boolean({ default: true })),
  },
  closed,
);

const Limits = {
  concurrency: Type.Optional(Type.Integer({ minimum: 1, maximum: 4096, default: 128 })),
  requestsPerSecond: Type.Optional(Rate),
  bytesPerSecond: Type.Optional(Rate),
  rowsPerSecond: Type.Optional(Rate),
};

const TIME = "^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$";
const Time = Type.String({ pattern: TIME, description: "Local time, HH:MM, 00:00 to 24:00" });
const DATE = "^\\d{4}-\\d{2}-\\d{2}$";

const Windows = Type.Object(
  {
    timezone: Type.String({ minLength: 1, description: "IANA time zone, e.g. Africa/Cairo" }),
    open: Type.Array(
      Type.Object(
        {
          days: Type.Optional(
            Type.Array(Literally("mon", "tue", "wed", "thu", "fri", "sat", "sun"), { minItems: 1 }),
          ),
          from: Time,
          to: Time,
          // Null is allowed, since GET gives it and its answer may be sent back.
          limits: Type.Optional(Nullable(Type.Object(Limits, closed))),
        },
        closed,
      ),
      { minItems: 1 },
    ),
    closed: Type.Optional(Type.Array(Type.String({ pattern: DATE }))),
    stages: Type.Optional(Type.Array(Literally("copy", "update", "delete"), { minItems: 1 })),
  },
  closed,
);

const Guards = Type.Object(
  {
    database: Type.Optional(
      Nullable(
        Type.Object(
          {
            maxThreadsRunning: Type.Optional(Nullable(Type.Integer({ minimum: 1 }))),
            maxReplicaLagSeconds: Type.Optional(Nullable(Type.Number({ minimum: 0 }))),
            maxLockWaits: Type.Optional(
              Nullable(Type.Integer({ minimum: 1, description: "Transactions that wait for a row lock" })),
            ),
            onUnknown: Type.Optional(
              Type.Union([Type.Literal("hold"), Type.Literal("go")], {
                default: "hold",
                description: "What to do while the account may not read a value that has a limit",
              }),
            ),
          },
          closed,
        ),
      ),
    ),
    maxExceptionRatio: Type.Optional(Nullable(Type.Number({ minimum: 0, maximum: 1 }))),
  },
  closed,
);

/** Body of `POST /jobs`. */
export const JobRequest = Type.Object(
  {
    name: Type.Optional(Name),
    source: Location,
    target: Location,
    inventory: Type.Optional(Inventory),
    references: Type.Optional(Type.Array(Reference, { maxItems: 32 })),
    filter: Type.Optional(
      Type.Object(
        {
          include: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 1024 }))),
          exclude: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 1024 }))),
          modifiedBefore: Type.Optional(Nullable(Type.String({ description: "ISO 8601 instant" }))),
        },
        closed,
      ),
    ),
    maxObjects: Type.Optional(Nullable(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }))),
    batchSize: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, default: 1000 })),
    limits: Type.Optional(Type.Object(Limits, closed)),
    windows: Type.Optional(Nullable(Windows)),
    guards: Type.Optional(Guards),
    onConflict: Type.Optional(Literally("fail", "skip-identical", "overwrite")),
    verify: Type.Optional(Literally("etag", "size", "checksum")),
    delete: Type.Optional(
      Type.Object(
        {
          when: Type.Optional(Literally("verified", "approved", "never")),
          after: Type.Optional(
            Type.String({ default: "24h", description: "Duration: 0s, 90s, 15m, 24h, 7d" }),
          ),
        },
        closed,
      ),
    ),
    engine: Type.Optional(Literally("service", "lambda", "lambda-copy-log")),
    lambda: Type.Optional(
      Type.Object(
        {
          updates: Type.Optional(
            Type.Union([Type.Literal("service"), Type.Literal("function")], {
              default: "service",
              description: "Who updates rows; the service looks at each in any case",
            }),
          ),
        },
        { ...closed, description: "Settings of the engines lambda and lambda-copy-log" },
      ),
    ),
  },
  { ...closed, $id: "JobRequest", title: "JobRequest" },
);

/** Body of `PATCH /jobs/:id`: what may change while a job runs. */
export const JobPatch = Type.Object(
  {
    limits: Type.Optional(
      Type.Object(Limits, { ...closed, description: "Limits that are not named stay as they are" }),
    ),
    windows: Type.Optional(Nullable(Windows)),
    guards: Type.Optional(Guards),
  },
  { ...closed, minProperties: 1, $id: "JobPatch", title: "JobPatch" },
);

/** The message for a value that does not match a pattern, by pattern. */
export const PATTERN_MEANINGS: Readonly<Record<string, string>> = {
  [BUCKET]: "must be a bucket name: 3 to 63 lower-case letters, digits, dots and hyphens",
  [IDENTIFIER]: "must be an SQL identifier of letters, digits, _, $ or -, at most 64 characters",
  [TIME]: "must be a local time, HH:MM, from 00:00 to 24:00",
  [DATE]: "must be a local date, YYYY-MM-DD",
};

export type JobRequest = Static<typeof JobRequest>;
export type JobPatch = Static<typeof JobPatch>;
