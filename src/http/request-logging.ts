/** One line a request, with its id and outcome, and without anything that could be a secret. */

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

/** `logger` for requests: whoever logs a request or its headers does not log who may do what. */
export function requestLogger(logger: Logger): Logger {
  return logger.child({}, { redact: { paths: SECRET_PATHS, censor: "[redacted]" } });
}

/** The caller's own `X-Request-Id` where it is fit for a log, else a new one. */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers["x-request-id"];
  return typeof given === "string" && /^[\w.:-]{1,64}$/.test(given) ? given : randomUUID();
}

/** Logs how `request` ended; refusals warn, failures are errors, and probes that succeed whisper. */
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
  // A failure's cause is for the operator; a refusal's message was answered, and its stack says nothing.
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
