/** Options of the OpenAPI document: general information, shared schemas, and security derived from the routes' scopes. */

import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";
import type { FastifyInstance } from "fastify";
import { JobPatch, JobRequest } from "../jobs/submit/job-spec-schema.ts";
import { JobSchema, PreflightSchema, pageSchema } from "./job-schemas.ts";
import { ProblemSchema, problems } from "./problem-schema.ts";
import { AuditSchema, BatchSchema, ExceptionSchema, ObjectSchema } from "./record-schemas.ts";

/** Version of the API, not of a build: a release without API changes leaves the document unchanged. */
const CONTRACT_VERSION = "1.0.0";

/** Schemas that routes reference by name. */
export const SHARED_SCHEMAS = [
  JobRequest,
  JobPatch,
  JobSchema,
  pageSchema("Job"),
  PreflightSchema,
  BatchSchema,
  pageSchema("Batch"),
  ExceptionSchema,
  pageSchema("Exception"),
  AuditSchema,
  pageSchema("AuditEvent"),
  ObjectSchema,
  ProblemSchema,
];

/** Registers the shared schemas on `app`. */
export function addSharedSchemas(app: FastifyInstance): void {
  for (const schema of SHARED_SCHEMAS) app.addSchema(schema);
}

/** Options of `@fastify/swagger`. */
export const OPENAPI_OPTIONS: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: "3.1.0",
    info: {
      title: "Tranship",
      version: CONTRACT_VERSION,
      description:
        "Moves S3 objects to another bucket under a new prefix and keeps database rows pointing at them. " +
        "Errors are RFC 9457 problem details with a stable `code`. Without configured tokens no " +
        "token is asked for, and only requests from this machine are answered.",
    },
    tags: [
      { name: "jobs", description: "Submitting and watching jobs" },
      { name: "actions", description: "Steering a job; repeating an action is harmless" },
      { name: "records", description: "What a job has recorded" },
      { name: "operations", description: "For those who run the service" },
    ],
    components: {
      securitySchemes: {
        bearer: {
          type: "http",
          scheme: "bearer",
          description: "A token's secret. Scopes: `read`, `operate`, `approve`; none includes another.",
        },
      },
    },
  },
  refResolver: {
    buildLocalReference: (json, _baseUri, _fragment, index) =>
      typeof json.$id === "string" ? json.$id : `def-${index}`,
  },
  // Derived from the enforced scopes, so that the document cannot name another one.
  transform: ({ schema, url, route }) => {
    const scope = route.config?.scope;
    if (scope === undefined) return { schema, url };
    const response = { ...problems(400, 401, 403, 421), ...(schema?.response as object | undefined) };
    return { schema: { ...schema, response, security: [{ bearer: [scope] }] }, url };
  },
};
