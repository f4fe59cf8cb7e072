/** `PATCH /jobs/:id`: changes limits, windows and guards of a job. */

import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyInstance } from "fastify";
import { Type } from "typebox";
import type { Jobs } from "../jobs/jobs.ts";
import { actorOf } from "./authentication.ts";
import { entityTag, versionsMatched } from "./entity-tags.ts";
import { problems } from "./problem-schema.ts";
import { AmendHeaders, JobParams, NoQuery } from "./request-schemas.ts";

/** Registers the route on `app`. */
export function jobPatchRoute(app: FastifyInstance, jobs: Jobs): void {
  app.withTypeProvider<TypeBoxTypeProvider>().patch(
    "/jobs/:id",
    {
      config: { scope: "operate" },
      schema: {
        tags: ["jobs"],
        summary: "Change limits, windows or guards",
        description:
          "Takes effect within two seconds, without a restart. Limits and guards that are not named stay as they " +
          "are; windows are replaced as a whole (null: always open).",
        params: JobParams,
        querystring: NoQuery,
        headers: AmendHeaders,
        body: Type.Ref("JobPatch"),
        response: {
          200: {
            description: "The job as it is now",
            headers: { ETag: Type.String({ description: "The job's version, quoted" }) },
            content: { "application/json": { schema: Type.Ref("Job") } },
          },
          ...problems(404, 409, 412, 413, 415, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const ifVersions = versionsMatched(request.raw.headers["if-match"]);
      const job = await jobs.amend(request.params.id, request.body, { ifVersions, actor: actorOf(request) });
      reply.header("etag", entityTag(job.version));
      return job;
    },
  );
}
