/** Schema of problem details, and the documented problem responses of routes. */

import { Type } from "typebox";
import { JOB_STATES } from "../domain/job-state.ts";
import { PROBLEMS } from "./problem-details.ts";

/** RFC 9457 problem details. */
export const ProblemSchema = Type.Object(
  {
    type: Type.String({ description: "URN of the kind of problem" }),
    title: Type.String({ description: "The kind of problem, the same each time" }),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    detail: Type.String({ description: "What went wrong this time" }),
    code: Type.Enum(Object.keys(PROBLEMS), { description: "Stable; compare this" }),
    instance: Type.String({ description: "Path of the request" }),
    requestId: Type.String({ description: "Find it in the service's log" }),
    faults: Type.Optional(
      Type.Array(
        Type.Object({
          pointer: Type.String({ description: 'JSON pointer (RFC 6901) into the input, "" for the whole' }),
          message: Type.String(),
        }),
        { description: "Every fault of the input" },
      ),
    ),
    state: Type.Optional(
      Type.Enum([...JOB_STATES], { description: "State of the job that does not allow the action" }),
    ),
  },
  { $id: "Problem", title: "Problem", additionalProperties: false },
);

const MEANINGS = {
  400: "The request cannot be read (path, query, headers or JSON)",
  401: "No valid token",
  403: "The token lacks the scope; or without configured tokens: a page of another origin asks",
  404: "There is no such job or object",
  409: "The state of the job, or an earlier use of the idempotency key, is in the way",
  412: "It has changed since you read it",
  413: "The body has more than 1 MiB",
  415: "The body is not application/json",
  421: "Without configured tokens: the Host header names another host than this machine's loopback",
  422: "The job cannot be, or a store or database refuses it; `faults` has every reason",
  500: "The service failed; its log has the cause",
  501: "Not available in this set-up",
  503: "The ledger, a store or a database does not answer; try again later",
} as const;

/** A status of problem responses. */
export type ProblemStatus = keyof typeof MEANINGS;

/** The documented problem responses with `statuses`; 500 is always included. */
export function problems(...statuses: readonly ProblemStatus[]): Readonly<Record<string, object>> {
  return Object.fromEntries(
    [...statuses, 500 as const].map((status) => [
      status,
      {
        description: MEANINGS[status],
        content: { "application/problem+json": { schema: Type.Ref("Problem") } },
      },
    ]),
  );
}
