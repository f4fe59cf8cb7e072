/** `buildServer`: the HTTP server with all routes and what applies to all of them. */

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

/** 1 MiB, far more than a job needs. */
const BODY_LIMIT_BYTES = 1_048_576;
/** Time within which a whole request must arrive; answers may take longer. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Content security policy of Swagger UI, which sets inline styles; it loads nothing from other hosts. */
const DOCS_CSP =
  "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; " +
  "base-uri 'self'; frame-ancestors 'none'";

export interface ServerParts {
  readonly jobs: Jobs;
  /** Empty: programs and pages of this machine may do everything, all others nothing. */
  readonly tokens: readonly TokenConfig[];
  readonly logger: Logger;
  /** Version of the service. */
  readonly version: string;
}

/** Builds the server, not yet listening; the caller closes it. */
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
      // Raised before any hook runs, so this does what hooks do for other requests.
      secure(request as FastifyRequest, reply as FastifyReply);
      answerProblem(error, request as FastifyRequest, reply as FastifyReply);
      return logOutcome(request as FastifyRequest, reply as FastifyReply);
    },
  });
  app.decorateRequest("caller", null);
  app.decorateRequest("failure", null);
  app.setValidatorCompiler(validatorCompiler);
  // Response schemas are documentation, checked by tests: serializing by them would drop fields unnoticed.
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

/** Headers of every answer. Swagger UI's answers replace the policy and may be cached. */
function secure(request: FastifyRequest, reply: FastifyReply): void {
  reply.headers({
    "x-request-id": request.id,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  });
}
