/** Routes by which operators steer a job; repeating any of them is harmless. */

import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyInstance } from "fastify";
import { JOB_ACTIONS, type JobAction } from "../domain/job-state.ts";
import type { Jobs } from "../jobs/jobs.ts";
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
          response: { 202: acceptedSchema({}), ...problems(404, 409, 413, 415, 503) },
        },
      },
      async (request, reply) => accepted(reply, await jobs.act(request.params.id, action, actorOf(request))),
    );
  }
}
