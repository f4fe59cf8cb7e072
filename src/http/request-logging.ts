/** Request logging: one line for each request, with id and outcome and without anything that may be secret. */

import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "pino";
import { PROBLEMS, type ProblemCode, pathOf } from "./problem-details.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Why the request was refused or failed; null when it was not. */
    failure: { readonly code: ProblemCode; readonly cause: unknown } | null;
  }
}

const SECRET_PATHS = [
  "authorization",
  "headers.authorization",
  "*.headers.authorization",
  "*.authorization",
  "headers.cookie",
  "*.headers.cookie",
];

/** Parameters whose values are known to be harmless; everything else in a query stays out of the log. */
const LOGGED_PARAMETERS = new Set(["state", "limit", "cursor", "canary", "key"]);

/** `logger` that redacts credentials in requests and headers. */
export function requestLogger(logger: Logger): Logger {
  return logger.child({}, { redact: { paths: SECRET_PATHS, censor: "[redacted]" } });
}

/** The request's `X-Request-Id` where it is safe to log, else a new id. */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers["x-request-id"];
  return typeof given === "string" && /^[\w.:-]{1,64}$/.test(given) ? given : randomUUID();
}

/** Logs the end of `request`: refusals at `warn`, failures at `error`, successful health probes at `debug`, others at `info`. */
export async function logOutcome(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { failure } = request;
  const status = reply.statusCode;
  const line = {
    event: "http_request",
    method: request.method,
    url: loggedUrl(request.url),
    status,
    ms: Math.round(reply.elapsedTime),
    actor: request.caller?.name ?? null,
    ...(failure === null ? {} : { code: failure.code }),
  };
  const text = `${request.method} ${pathOf(request.url)} ${status}`;
  // The cause of a failure is logged for operators; the stack of a refusal has no information.
  if (status >= 500) request.log.error({ ...line, err: failure?.cause }, text);
  else if (status >= 400) request.log.warn(line, text);
  else request.log[isProbe(request.url) ? "debug" : "info"](line, text);
}

/** `url` with only those query parameters that are known to be harmless. */
export function loggedUrl(url: string): string {
  const path = pathOf(url);
  const query = new URLSearchParams(url.slice(path.length).split("#")[0]);
  const kept = [...query].filter(([name]) => LOGGED_PARAMETERS.has(name));
  return kept.length === 0 ? path : `${path}?${new URLSearchParams(kept)}`;
}

/** Remembers for the log why `request` was not answered as asked. */
export function noteFailure(request: FastifyRequest, code: ProblemCode, cause: unknown): void {
  request.failure = { code, cause: PROBLEMS[code].status >= 500 ? cause : null };
}

function isProbe(url: string): boolean {
  return pathOf(url).startsWith("/health/");
}
