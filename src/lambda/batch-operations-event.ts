/** Events that S3 Batch Operations invokes a function with (invocation schemas 1.0 and 2.0), and the answers to them. */

/** One line of the manifest. */
export interface BatchTask {
  readonly taskId: string;
  /** As the event has it: of schema 1.0 the last part of the ARN. */
  readonly bucket: string;
  /** The manifest's key field, still encoded. */
  readonly field: string;
}

export interface BatchEvent {
  /** `1.0`, `2.0`, or a version that is not known: see {@link schemaFault}. */
  readonly schema: string;
  readonly invocationId: string;
  /** Empty where there are none, as in schema 1.0. */
  readonly userArguments: Readonly<Record<string, string>>;
  readonly tasks: readonly BatchTask[];
}

/** S3 repeats tasks that failed temporarily before the job ends; result strings are in the report for `Succeeded` only. */
export type ResultCode = "Succeeded" | "TemporaryFailure" | "PermanentFailure";

export interface TaskAnswer {
  readonly taskId: string;
  readonly resultCode: ResultCode;
  readonly resultString: string;
}

export interface BatchAnswer {
  readonly invocationSchemaVersion: string;
  /** The result of tasks without an answer. */
  readonly treatMissingKeysAs: ResultCode;
  readonly invocationId: string;
  readonly results: readonly TaskAnswer[];
}

const SCHEMAS: ReadonlySet<string> = new Set(["1.0", "2.0"]);

/** Reads an event; throws `RangeError` for one whose tasks could not even be answered. */
export function readEvent(event: unknown): BatchEvent {
  const { invocationSchemaVersion, invocationId, job, tasks } = fieldsOf(event);
  if (typeof invocationId !== "string" || !Array.isArray(tasks))
    throw new RangeError("this is no event of S3 Batch Operations: it has no invocationId or no tasks");
  return {
    schema: textOf(invocationSchemaVersion),
    invocationId,
    userArguments: argumentsOf(fieldsOf(job).userArguments),
    tasks: tasks.map(readTask),
  };
}

/** Why the event's tasks cannot be understood, or null. */
export function schemaFault({ schema }: BatchEvent): string | null {
  return SCHEMAS.has(schema) ? null : `invocation schema ${schema || "without a version"} is not understood`;
}

/** The answer to `event`. */
export function answerTo(event: BatchEvent, results: readonly TaskAnswer[]): BatchAnswer {
  return {
    invocationSchemaVersion: event.schema,
    treatMissingKeysAs: "TemporaryFailure",
    invocationId: event.invocationId,
    results,
  };
}

function readTask(task: unknown): BatchTask {
  const { taskId, s3Key, s3Bucket, s3BucketArn } = fieldsOf(task);
  if (typeof taskId !== "string") throw new RangeError("a task of the event has no taskId");
  const bucket = textOf(s3Bucket) || textOf(s3BucketArn).replace(/^arn:[^:]*:s3:[^:]*:[^:]*:/, "");
  return { taskId, bucket, field: textOf(s3Key) };
}

function argumentsOf(given: unknown): Readonly<Record<string, string>> {
  const texts = Object.entries(fieldsOf(given)).filter(([, value]) => typeof value === "string");
  return Object.fromEntries(texts) as Record<string, string>;
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
