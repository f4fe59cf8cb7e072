/** The HTTP door: every route is listed here, and everything that holds for all of them. */

import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from "fastify";
import type { Logger } from "pino";
import type { TokenConfig } from "../config.ts";
import type { Jobs } from "../jobs/jobs.ts";
import { authentication } from "./authentication.ts";
import { refuseBrokenRequest } from "./broken-requests.ts";
import { jobActionRoutes } from "./job-action-routes.ts";
import { jobPatchRoute } from "./job-patch-route.ts";
import { jobRecordRoutes } from "./job-record-routes.ts";
import { jobRoutes } from "./job-routes.ts";
import { acceptJsonOnly } from "./json-body.ts";
import { localOnly } from "./local-only.ts";
import { addSharedSchemas, OPENAPI_OPTIONS } from "./openapi-options.ts";
import { operationsRoutes } from "./operations-routes.ts";
import { problemOf } from "./problem-details.ts";
import { logOutcome, noteFailure, requestIdOf, requestLogger } from "./request-logging.ts";
import { validatorCompiler } from "./request-validation.ts";
import { refuseUnmatched } from "./unmatched-routes.ts";

/** 1 MiB: thousands of references' worth of job. */
const BODY_LIMIT_BYTES = 1_048_576;
/** A request must have arrived by then; answers may take longer. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Swagger UI sets styles from its scripts; nothing comes from elsewhere, so it works without the internet. */
const DOCS_CSP =
  "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; " +
  "base-uri 'self'; frame-ancestors 'none'";

export interface ServerParts {
  readonly jobs: Jobs;
  /** Empty: programs and own pages of this machine may do everything, all others nothing. */
  readonly tokens: readonly TokenConfig[];
  readonly logger: Logger;
  /** Of the service. */
  readonly version: string;
}

/** Builds the server, ready to listen or to be injected into; whoever asked for it closes it. */
export async function buildServer({ jobs, tokens, logger, version }: ServerParts): Promise<FastifyInstance> {
  const app: FastifyInstance = Fastify({
    loggerInstance: requestLogger(logger) as FastifyBaseLogger,
    logController: new Fastify.LogController({
      disableRequestLogging: true,
      requestIdLogLabel: "requestId",
    }),
    genReqId: requestIdOf,
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    clientErrorHandler: refuseBrokenRequest,
    frameworkErrors: (error, request, reply) => {
      // Raised before any hook: what hooks do for others is done here.
      secure(request as FastifyRequest, reply as FastifyReply);
      answerProblem(error, request as FastifyRequest, reply as FastifyReply);
      return logOutcome(request as FastifyRequest, reply as FastifyReply);
    },
  });
  app.decorateRequest("caller", null);
  app.decorateRequest("failure", null);
  app.setValidatorCompiler(validatorCompiler);
  // Schemas of answers document them; tests hold the answers to them. Filtering by them here would hide mistakes.
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  app.setErrorHandler(answerProblem);
  app.addHook("onRequest", async (request, reply) => secure(request, reply));
  if (tokens.length === 0) app.addHook("onRequest", localOnly);
  app.addHook("onResponse", logOutcome);
  acceptJsonOnly(app);
  addSharedSchemas(app);
  refuseUnmatched(app);

  await app.register(swagger, OPENAPI_OPTIONS);
  await app.register(swaggerUi, { routePrefix: "/docs", staticCSP: DOCS_CSP });
  operationsRoutes(app, jobs, version);
  await app.register(async (guarded) => {
    guarded.addHook("onRequest", authentication(tokens));
    guarded.addHook("onRoute", ({ url, config }) => {
      if (config?.scope === undefined) throw new TypeError(`the route ${url} names no scope`);
    });
    jobRoutes(guarded, jobs);
    jobPatchRoute(guarded, jobs);
    jobActionRoutes(guarded, jobs);
    jobRecordRoutes(guarded, jobs);
  });
  await app.ready();
  return app;
}

function answerProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { body, headers } = problemOf(error, request.url, request.id);
  noteFailure(request, body.code, error);
  return reply
    .code(body.status)
    .headers(headers)
    .header("content-type", "application/problem+json")
    .serializer(JSON.stringify)
    .send(body);
}

/** Headers of every answer. Those of the documentation replace the policy and may be kept. */
function secure(request: FastifyRequest, reply: FastifyReply): void {
  reply.headers({
    "x-request-id": request.id,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  });
}
