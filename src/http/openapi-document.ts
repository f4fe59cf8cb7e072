/** `openApiDocument`: the OpenAPI document, built from the routes without listening on a port. */

import pino from "pino";
import { DomainError } from "../domain/errors.ts";
import type { Jobs } from "../jobs/jobs.ts";
import { buildServer } from "./server.ts";

/** The content of `openapi/openapi.json`; deterministic. */
export async function openApiDocument(): Promise<object> {
  const app = await buildServer({
    jobs: NO_JOBS,
    tokens: [],
    logger: pino({ level: "silent" }),
    version: "0.0.0",
  });
  try {
    // Through JSON, which drops undefined values; keys keep the order of the routes.
    return JSON.parse(JSON.stringify(app.swagger())) as object;
  } finally {
    await app.close();
  }
}

const refuse = async (): Promise<never> => {
  throw new DomainError("not_available", "There are no jobs behind the document.");
};

/** Stands in for the use cases, which are not called while the document is built. */
const NO_JOBS: Jobs = {
  submit: refuse,
  preflight: refuse,
  list: refuse,
  get: refuse,
  act: refuse,
  amend: refuse,
  batches: refuse,
  exceptions: refuse,
  audit: refuse,
  object: refuse,
  ready: refuse,
};
