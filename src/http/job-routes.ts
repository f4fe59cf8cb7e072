/** Routes that submit jobs and show them. */

import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyInstance, FastifyReply } from "fastify";
import { Type } from "typebox";
import type { Jobs } from "../jobs/jobs.ts";
import type { JobView } from "../jobs/view/job-view.ts";
import { actorOf } from "./authentication.ts";
import { entityTag, matchesNone } from "./entity-tags.ts";
import { problems } from "./problem-schema.ts";
import {
  ConditionalHeaders,
  DEFAULT_LIMIT,
  JobParams,
  ListQuery,
  NoQuery,
  PreflightQuery,
  SubmitHeaders,
} from "./request-schemas.ts";

const tags = ["jobs"];
const ETag = Type.String({ description: "The job's version, quoted" });

/** Sets the headers of an answer with `job` and gives its body. */
export function accepted(reply: FastifyReply, job: JobView): JobView {
  reply.code(202).header("etag", entityTag(job.version));
  return job;
}

/** Documentation of {@link accepted}, with additional `headers`. */
export function acceptedSchema(headers: Readonly<Record<string, object>>) {
  return {
    description: "Accepted; the job as it is now",
    headers: { ETag, ...headers },
    content: { "application/json": { schema: Type.Ref("Job") } },
  };
}

/** Registers the routes on `app`. */
export function jobRoutes(app: FastifyInstance, jobs: Jobs): void {
  submitRoute(app, jobs);
  preflightRoute(app, jobs);
  listRoute(app, jobs);
  showRoute(app, jobs);
}

function submitRoute(app: FastifyInstance, jobs: Jobs): void {
  app.withTypeProvider<TypeBoxTypeProvider>().post(
    "/jobs",
    {
      config: { scope: "operate" },
      schema: {
        tags,
        summary: "Submit a job",
        description:
          "Checks the job against the contract and the real stores and databases, and queues it. Given an " +
          "`Idempotency-Key`, repeating the request answers with the first job again.",
        headers: SubmitHeaders,
        querystring: NoQuery,
        body: Type.Ref("JobRequest"),
        response: {
          202: acceptedSchema({
            Location: Type.String({ description: "Path of the job" }),
            "Idempotent-Replay": Type.Literal("true", {
              description: "Present when the job existed already",
            }),
          }),
          ...problems(409, 413, 415, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const idempotencyKey = request.headers["idempotency-key"] ?? null;
      const by = {
        idempotencyKey: typeof idempotencyKey === "string" ? idempotencyKey : null,
        actor: actorOf(request),
      };
      const { job, created } = await jobs.submit(request.body, by);
      reply.header("location", `/jobs/${encodeURIComponent(job.id)}`);
      if (!created) reply.header("idempotent-replay", "true");
      return accepted(reply, job);
    },
  );
}

function preflightRoute(app: FastifyInstance, jobs: Jobs): void {
  app.withTypeProvider<TypeBoxTypeProvider>().post(
    "/jobs/preflight",
    {
      config: {
        scope: "read",
        scopeOf: ({ query }) => ((query as { canary?: unknown }).canary === "true" ? "operate" : "read"),
      },
      schema: {
        tags,
        summary: "What would happen",
        description:
          "Counts objects, rows, requests and costs, and looks for problems. Changes nothing. May take minutes " +
          "for millions of objects; it stops when the caller hangs up.",
        querystring: PreflightQuery,
        body: Type.Ref("JobRequest"),
        response: {
          200: {
            description: "The report",
            content: { "application/json": { schema: Type.Ref("PreflightReport") } },
          },
          ...problems(413, 415, 422, 501, 503),
        },
      },
    },
    async ({ body, query }, reply) =>
      jobs.preflight(body, { canary: query.canary ?? false, signal: hangUp(reply) }),
  );
}

function listRoute(app: FastifyInstance, jobs: Jobs): void {
  app.withTypeProvider<TypeBoxTypeProvider>().get(
    "/jobs",
    {
      config: { scope: "read" },
      schema: {
        tags,
        summary: "List jobs, newest first",
        querystring: ListQuery,
        response: {
          200: {
            description: "A page of jobs",
            content: { "application/json": { schema: Type.Ref("JobPage") } },
          },
          ...problems(422, 503),
        },
      },
    },
    async ({ query }) =>
      jobs.list({
        state: query.state ?? null,
        limit: query.limit ?? DEFAULT_LIMIT,
        cursor: query.cursor ?? null,
      }),
  );
}

function showRoute(app: FastifyInstance, jobs: Jobs): void {
  app.withTypeProvider<TypeBoxTypeProvider>().get(
    "/jobs/:id",
    {
      config: { scope: "read" },
      schema: {
        tags,
        summary: "Show a job",
        params: JobParams,
        querystring: NoQuery,
        headers: ConditionalHeaders,
        response: {
          200: {
            description: "The job: its state, what it waits for, counters, rate, percent and finish time",
            headers: { ETag },
            content: { "application/json": { schema: Type.Ref("Job") } },
          },
          304: { description: "The job's version is the one you know", headers: { ETag }, type: "null" },
          ...problems(404, 503),
        },
      },
    },
    async (request, reply) => {
      const job = await jobs.get(request.params.id);
      const tag = entityTag(job.version);
      reply.header("etag", tag);
      if (matchesNone(request.raw.headers["if-none-match"], tag)) return reply.code(304).send(null);
      return job;
    },
  );
}

/** A signal that aborts when the connection closes before the answer was sent. */
function hangUp(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller.signal;
}
