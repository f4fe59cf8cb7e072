/** Routes for a job's records: batches, exceptions, audit trail and single objects. */

import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyInstance } from "fastify";
import { Type } from "typebox";
import type { Jobs, PageQuery } from "../jobs/jobs.ts";
import { problems } from "./problem-schema.ts";
import { auditAnswer, batchAnswer, exceptionAnswer, objectAnswer, pageAnswer } from "./record-answers.ts";
import { DEFAULT_LIMIT, JobParams, ObjectQuery, PageParameters } from "./request-schemas.ts";

interface Listing {
  readonly name: string;
  /** Schema of an item. */
  readonly item: string;
  readonly summary: string;
  read(id: string, query: PageQuery): Promise<object>;
}

/** Registers the routes on `app`. */
export function jobRecordRoutes(app: FastifyInstance, jobs: Jobs): void {
  const listings: readonly Listing[] = [
    {
      name: "batches",
      item: "Batch",
      summary: "List a job's batches",
      read: async (id, query) => pageAnswer(await jobs.batches(id, query), batchAnswer),
    },
    {
      name: "exceptions",
      item: "Exception",
      summary: "List the objects that could not go through, with reasons and advice",
      read: async (id, query) => pageAnswer(await jobs.exceptions(id, query), exceptionAnswer),
    },
    {
      name: "audit",
      item: "AuditEvent",
      summary: "List who did what to a job",
      read: async (id, query) => pageAnswer(await jobs.audit(id, query), auditAnswer),
    },
  ];
  for (const listing of listings) listingRoute(app, listing);
  objectRoute(app, jobs);
}

function listingRoute(app: FastifyInstance, { name, item, summary, read }: Listing): void {
  app.withTypeProvider<TypeBoxTypeProvider>().get(
    `/jobs/:id/${name}`,
    {
      config: { scope: "read" },
      schema: {
        tags: ["records"],
        summary,
        params: JobParams,
        querystring: PageParameters,
        response: {
          200: {
            description: "A page",
            content: { "application/json": { schema: Type.Ref(`${item}Page`) } },
          },
          ...problems(404, 422, 503),
        },
      },
    },
    async ({ params, query }) =>
      read(params.id, { limit: query.limit ?? DEFAULT_LIMIT, cursor: query.cursor ?? null }),
  );
}

function objectRoute(app: FastifyInstance, jobs: Jobs): void {
  app.withTypeProvider<TypeBoxTypeProvider>().get(
    "/jobs/:id/objects",
    {
      config: { scope: "read" },
      schema: {
        tags: ["records"],
        summary: "Show one object's fate",
        params: JobParams,
        querystring: ObjectQuery,
        response: {
          200: {
            description: "What happened to the object",
            content: { "application/json": { schema: Type.Ref("ObjectHistory") } },
          },
          ...problems(404, 503),
        },
      },
    },
    async ({ params, query }) => objectAnswer(await jobs.object(params.id, query.key)),
  );
}
