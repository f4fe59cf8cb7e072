/**
 * The specification of a job in its complete form: every default filled in. `lambda` alone is optional: specs without it
 * keep the canonical form, and so the digest, that they had before there were engines on AWS.
 */

/** The longest key S3 takes, in UTF-8 bytes (S3 user guide, "Naming Amazon S3 objects"). */
export const MAX_KEY_BYTES = 1024;

export interface ObjectLocation {
  /** Name of a configured store. */
  readonly store: string;
  readonly bucket: string;
  /** May be empty: the whole bucket. */
  readonly prefix: string;
}

export type Inventory =
  | { readonly from: "bucket" }
  | { readonly from: "database" }
  | { readonly from: "manifest"; readonly store: string; readonly bucket: string; readonly key: string };

export type ColumnValue = string | number | boolean | null;

/** A table's column that names objects. */
export interface ReferenceSpec {
  /** Name of a configured database. */
  readonly database: string;
  readonly table: string;
  /** Primary or unique key column; rows are paged by it. */
  readonly key: string;
  readonly column: string;
  /** Other columns of the same row, changed in the same statement. */
  readonly set: Readonly<Record<string, ColumnValue>>;
  /** The part of the column's value before the key when it is a URL; null: the value is the key. */
  readonly urlPrefix: string | null;
  /** Only rows equal in all of these columns are rewritten. */
  readonly where: Readonly<Record<string, ColumnValue>>;
  /** Whether columns that MariaDB sets by itself (`ON UPDATE CURRENT_TIMESTAMP`) keep their values. */
  readonly keepUpdatedAt: boolean;
}

export interface ObjectFilter {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** ISO 8601 instant, or null. */
  readonly modifiedBefore: string | null;
}

/** Whether the part of a key after the prefix and the object's `LastModified` (epoch ms) pass a job's filter. */
export type KeyFilter = (keyAfterPrefix: string, modifiedAt: number) => boolean;

export interface Limits {
  /** Concurrent requests to the store, 1–4096. */
  readonly concurrency: number;
  readonly requestsPerSecond: number | null;
  readonly bytesPerSecond: number | null;
  readonly rowsPerSecond: number | null;
}

export interface OpenWindow {
  readonly days: readonly Weekday[];
  /** Local `HH:MM`. */
  readonly from: string;
  /** Local `HH:MM`, up to `24:00`; earlier than `from` means on the next day. */
  readonly to: string;
  readonly limits: Partial<Limits> | null;
}

export type Weekday = "mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun";

export interface Windows {
  /** IANA zone, e.g. `Africa/Cairo`. */
  readonly timezone: string;
  readonly open: readonly OpenWindow[];
  /** Local dates, `YYYY-MM-DD`, on which no window opens. */
  readonly closed: readonly string[];
  readonly stages: readonly WorkStage[];
}

export type WorkStage = "copy" | "update" | "delete";

/** Limits of a database's health; while one is exceeded the job sends it no statements. Null is no limit. */
export interface DatabaseLimits {
  readonly maxThreadsRunning: number | null;
  readonly maxReplicaLagSeconds: number | null;
  /** Transactions waiting for a row lock. */
  readonly maxLockWaits: number | null;
  /** Whether the job waits or goes on while a limited value cannot be read because the account lacks a right. */
  readonly onUnknown: "hold" | "go";
}

export interface Guards {
  /** With a guard, even one without limits, statements are also spaced out as the database gets slower. */
  readonly database: DatabaseLimits | null;
  /** Share of settled objects, 0–1, that may be exceptions; above it the job is paused. */
  readonly maxExceptionRatio: number | null;
}

export type OnConflict = "fail" | "skip-identical" | "overwrite";
export type VerifyBy = "etag" | "size" | "checksum";
export type DeleteWhen = "verified" | "approved" | "never";
export type EngineName = "service" | "lambda" | "lambda-copy-log";
export type AwsEngineName = Exclude<EngineName, "service">;

/** Settings of the engines on AWS. */
export interface LambdaSettings {
  /** Who updates rows first; with `function` the service's update stage still looks at each afterwards. */
  readonly updates: "service" | "function";
}

export interface JobSpec {
  readonly name: string;
  readonly source: ObjectLocation;
  readonly target: ObjectLocation;
  readonly inventory: Inventory;
  readonly references: readonly ReferenceSpec[];
  readonly filter: ObjectFilter;
  /** The most objects to move, in inventory order; null: all. */
  readonly maxObjects: number | null;
  /** Objects in a batch, 1–10,000. */
  readonly batchSize: number;
  readonly limits: Limits;
  readonly windows: Windows | null;
  readonly guards: Guards;
  readonly onConflict: OnConflict;
  readonly verify: VerifyBy;
  readonly delete: { readonly when: DeleteWhen; readonly after: string };
  readonly engine: EngineName;
  /** Present with an engine on AWS only. */
  readonly lambda?: LambdaSettings;
}
