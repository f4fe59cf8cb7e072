/** Routes for operations: liveness, readiness and an index. */

import type { FastifyInstance } from "fastify";
import { Type } from "typebox";
import { DomainError } from "../domain/errors.ts";
import type { Jobs } from "../jobs/jobs.ts";
import { problems } from "./problem-schema.ts";

const tags = ["operations"];

/** Registers the routes, all public. Probes may carry any query, which load balancers add. */
export function operationsRoutes(app: FastifyInstance, jobs: Jobs, version: string): void {
  app.get(
    "/health/live",
    {
      schema: {
        tags,
        summary: "Whether the process runs",
        response: {
          200: Type.Object(
            { status: Type.Literal("live"), version: Type.String() },
            { description: "It does", additionalProperties: false },
          ),
        },
      },
    },
    async () => ({ status: "live", version }),
  );

  app.get(
    "/health/ready",
    {
      schema: {
        tags,
        summary: "Whether the service can work: the ledger answers",
        response: {
          200: Type.Object(
            { status: Type.Literal("ready") },
            { description: "It can", additionalProperties: false },
          ),
          ...problems(503),
        },
      },
    },
    async () => {
      try {
        await jobs.ready();
      } catch (cause) {
        if (cause instanceof DomainError) throw cause;
        // Every failure is a 503, so that a load balancer keeps probing.
        throw new DomainError("ledger_unavailable", "The ledger cannot be read.", { cause });
      }
      return { status: "ready" };
    },
  );

  app.get("/", { schema: { hide: true } }, async (_request, reply) => reply.redirect("/docs", 302));
}
