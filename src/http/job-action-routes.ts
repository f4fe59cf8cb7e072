/** Routes for actions on a job (pause, resume, …); all are idempotent. */

import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyInstance } from "fastify";
import { Type } from "typebox";
import { Compile } from "typebox/compile";
import { DomainError } from "../domain/errors.ts";
import { JOB_ACTIONS, type JobAction } from "../domain/job-state.ts";
import type { ActionOptions, Jobs } from "../jobs/jobs.ts";
import { shapeFaults } from "../jobs/submit/shape-faults.ts";
import { actorOf, type Scope } from "./authentication.ts";
import { accepted, acceptedSchema } from "./job-routes.ts";
import { problems } from "./problem-schema.ts";
import { JobParams, NoQuery } from "./request-schemas.ts";

interface Door {
  readonly scope: Scope;
  readonly summary: string;
  readonly description: string;
}

const ACTIONS: Readonly<Record<JobAction, Door>> = {
  pause: {
    scope: "operate",
    summary: "Pause a job",
    description: "Requests that have begun are finished, then nothing more happens until it is resumed.",
  },
  resume: {
    scope: "operate",
    summary: "Resume a paused or failed job",
    description: "It goes on where it stopped.",
  },
  cancel: {
    scope: "operate",
    summary: "Cancel a job",
    description: "Final. Copied objects and updated rows stay as they are, and no further source is deleted.",
  },
  retry: {
    scope: "operate",
    summary: "Retry a job's exceptions",
    description: "Objects that could not go through pass through all stages again.",
  },
  approve: {
    scope: "approve",
    summary: "Approve the deletion of sources",
    description: "For jobs with `delete.when` `approved`. The first approval is recorded with its actor.",
  },
};

const ResumeBody = Type.Object(
  {
    ignoreWindow: Type.Optional(
      Type.Boolean({
        default: false,
        description: "Work outside the windows too, until they open next; recorded with its actor",
      }),
    ),
  },
  { additionalProperties: false, title: "Resume" },
);

const checkedResume = Compile(ResumeBody);

/** Parses the body of `resume`, which may be missing; throws `invalid_input` with every fault. */
function resumeOptions(body: unknown): ActionOptions {
  const given = body ?? {};
  if (checkedResume.Check(given)) return given;
  const faults = shapeFaults([...checkedResume.Errors(given)], {});
  const list = faults.map(({ pointer, message }) => `${pointer || "/"}: ${message}`).join("; ");
  throw new DomainError("invalid_input", `the body is not valid: ${list}`, { faults });
}

/** Registers one route for each action. */
export function jobActionRoutes(app: FastifyInstance, jobs: Jobs): void {
  for (const action of JOB_ACTIONS) {
    const { scope, summary, description } = ACTIONS[action];
    app.withTypeProvider<TypeBoxTypeProvider>().post(
      `/jobs/:id/${action}`,
      {
        config: { scope },
        schema: {
          tags: ["actions"],
          summary,
          description,
          params: JobParams,
          querystring: NoQuery,
          ...(action === "resume" ? { body: ResumeBody } : {}),
          response: { 202: acceptedSchema({}), ...problems(404, 409, 413, 415, 422, 503) },
        },
      },
      async (request, reply) => {
        const options = action === "resume" ? resumeOptions(request.body) : {};
        return accepted(reply, await jobs.act(request.params.id, action, actorOf(request), options));
      },
    );
  }
}
