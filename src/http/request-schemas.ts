/** Schemas of paths, queries and headers. Queries are closed: an unknown name is refused. */

import { Type } from "typebox";
import { JOB_STATES } from "../domain/job-state.ts";

const closed = { additionalProperties: false } as const;

const PAGE = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1000, default: 100, description: "Most items of a page" }),
  ),
  cursor: Type.Optional(
    Type.String({ minLength: 1, maxLength: 1024, description: "The `next` of the page before" }),
  ),
};

/** Default number of items of a page. */
export const DEFAULT_LIMIT = 100;

/** `/jobs/:id…`. */
export const JobParams = Type.Object({
  id: Type.String({ minLength: 1, maxLength: 64, description: "Id of a job" }),
});

/** Routes without query parameters. */
export const NoQuery = Type.Object({}, closed);

/** Pages by cursor. */
export const PageParameters = Type.Object(PAGE, closed);

/** `GET /jobs`. */
export const ListQuery = Type.Object(
  { state: Type.Optional(Type.Enum([...JOB_STATES], { description: "Only jobs in this state" })), ...PAGE },
  closed,
);

/** `POST /jobs/preflight`. */
export const PreflightQuery = Type.Object(
  {
    canary: Type.Optional(
      Type.Boolean({
        default: false,
        description: "Also write, copy and delete one small object; needs the scope `operate`",
      }),
    ),
  },
  closed,
);

/** `GET /jobs/:id/objects`. */
export const ObjectQuery = Type.Object(
  {
    key: Type.String({
      minLength: 1,
      maxLength: 1024,
      description: "The object's source key, exact and percent-encoded (`+` as `%2B`)",
    }),
  },
  closed,
);

/** `POST /jobs`. */
export const SubmitHeaders = Type.Object({
  "Idempotency-Key": Type.Optional(
    Type.String({
      pattern: "^[\\x21-\\x7e]{1,255}$",
      description:
        "1–255 visible ASCII characters of your choice; the same key with the same job never makes a second one",
    }),
  ),
});

/** `PATCH /jobs/:id`. */
export const AmendHeaders = Type.Object({
  "If-Match": Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 1024,
      description: "ETag of the job as you know it; 412 when it has changed since",
    }),
  ),
});

/** `GET /jobs/:id`. */
export const ConditionalHeaders = Type.Object({
  "If-None-Match": Type.Optional(
    Type.String({ description: "ETag of the job as you know it; 304 when it still is" }),
  ),
});
