/** Schemas of answers about a job's batches, exceptions, audit trail and objects. */

import { type TSchema, Type } from "typebox";
import { ADVICE } from "../domain/batch.ts";
import { Count, Instant, named, nullable } from "./job-schemas.ts";

const closed = { additionalProperties: false } as const;
const STAGES = ["plan", "copy", "verify", "update", "delete"];
const BatchState = Type.Enum(["planned", "consigned", "copied", "verified", "updated", "done"], {
  description: "The last stage that is over",
});
const ExceptionCode = Type.Enum(Object.keys(ADVICE));
const Key = Type.String({ description: "Object key, exact" });

const StageTimes = Type.Object(
  { startedAt: nullable(Instant), endedAt: nullable(Instant), attempts: Count },
  closed,
);

/** Schema of `BatchAnswer`. */
export const BatchSchema = Type.Object(
  {
    seq: Type.Integer({ minimum: 1 }),
    state: BatchState,
    planned: Count,
    moved: Count,
    skipped: Count,
    exceptions: Count,
    bytes: Count,
    rowsUpdated: Count,
    firstKey: Key,
    lastKey: Key,
    worker: nullable(Type.String()),
    plannedAt: Instant,
    copy: StageTimes,
    verify: StageTimes,
    update: StageTimes,
    delete: StageTimes,
  },
  named("Batch"),
);

/** Schema of `ExceptionAnswer`. */
export const ExceptionSchema = Type.Object(
  {
    id: Type.Integer(),
    batch: Type.Integer({ minimum: 1 }),
    key: Key,
    stage: Type.Enum(STAGES),
    code: ExceptionCode,
    message: Type.String(),
    advice: Type.String({ description: "What to do" }),
    at: Instant,
  },
  named("Exception"),
);

/** Schema of `AuditAnswer`. */
export const AuditSchema = Type.Object(
  {
    id: Type.Integer(),
    at: Instant,
    actor: Type.String({ description: "Name of a token, or of a part of the service" }),
    action: Type.String(),
    detail: Type.String(),
  },
  named("AuditEvent"),
);

const fate = <T extends string>(kind: T, more: Record<string, TSchema>) =>
  Type.Object({ kind: Type.Literal(kind), ...more }, closed);

/** Schema of `ObjectAnswer`. */
export const ObjectSchema = Type.Object(
  {
    key: Key,
    batch: Type.Integer({ minimum: 1 }),
    batchState: BatchState,
    size: Type.Integer({ minimum: 0, description: "Bytes" }),
    etag: Type.String({ description: "Of the source, without quotes" }),
    targetEtag: nullable(Type.String({ description: "Of the verified copy" })),
    rows: Type.Integer({ minimum: 0, description: "Rows that named it at planning" }),
    fate: Type.Union([
      fate("going", {}),
      fate("moved", {}),
      fate("skipped", { reason: Type.String() }),
      fate("exception", { code: ExceptionCode, message: Type.String(), advice: Type.String() }),
    ]),
    worker: nullable(Type.String()),
    plannedAt: Instant,
    copiedAt: nullable(Instant),
    verifiedAt: nullable(Instant),
    updatedAt: nullable(Instant),
    deletedAt: nullable(Instant),
  },
  named("ObjectHistory"),
);
