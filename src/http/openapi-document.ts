/** The OpenAPI document, built from the routes themselves without listening anywhere. */

import pino from "pino";
import { DomainError } from "../domain/errors.ts";
import type { Jobs } from "../jobs/jobs.ts";
import { buildServer } from "./server.ts";

/** The document as it belongs into `openapi/openapi.json`; the same for the same code. */
export async function openApiDocument(): Promise<object> {
  const app = await buildServer({
    jobs: NO_JOBS,
    tokens: [],
    logger: pino({ level: "silent" }),
    version: "0.0.0",
  });
  try {
    // Through JSON, which drops what only looks like a value; keys keep the order in which routes are listed.
    return JSON.parse(JSON.stringify(app.swagger())) as object;
  } finally {
    await app.close();
  }
}

const refuse = async (): Promise<never> => {
  throw new DomainError("not_available", "There are no jobs behind the document.");
};

/** Nobody asks while the document is built. */
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
