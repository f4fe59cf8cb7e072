/** Authentication and authorization by bearer tokens with scopes; without tokens, every request that `localOnly` admits. */

import { createHash, timingSafeEqual } from "node:crypto";
import type { FastifyRequest, onRequestHookHandler } from "fastify";
import type { TokenConfig } from "../config.ts";
import { RequestRefusal } from "./problem-details.ts";

/** Permissions of a token; no scope includes another. */
export type Scope = "read" | "operate" | "approve";

/** The authenticated sender of a request. */
export interface Caller {
  /** Name of the token, written into the audit. */
  readonly name: string;
  readonly scopes: readonly Scope[];
}

declare module "fastify" {
  interface FastifyRequest {
    /** Null before authentication, and on public routes. */
    caller: Caller | null;
  }
  interface FastifyContextConfig {
    /** The scope that a route requires; every route that is not public must name one. */
    scope?: Scope;
    /** For routes whose scope depends on the request; called before the request is validated. */
    scopeOf?: (request: FastifyRequest) => Scope;
  }
}

const ANONYMOUS: Caller = { name: "anonymous", scopes: ["read", "operate", "approve"] };

interface KnownToken {
  readonly caller: Caller;
  readonly digest: Buffer;
}

/** Authenticates and authorizes a request; throws `unauthenticated` or `forbidden`. */
export function authentication(tokens: readonly TokenConfig[]): onRequestHookHandler {
  const known = tokens.map(({ name, scopes, secret }) => ({
    caller: { name, scopes },
    digest: digestOf(secret),
  }));
  return async (request) => {
    request.caller = known.length === 0 ? ANONYMOUS : bearer(request.headers.authorization, known);
    const { scope, scopeOf } = request.routeOptions.config;
    requireScope(request, scopeOf?.(request) ?? scope);
  };
}

/** Name of the sender of `request`, for the audit trail. */
export function actorOf(request: FastifyRequest): string {
  return request.caller?.name ?? ANONYMOUS.name;
}

function requireScope(request: FastifyRequest, scope: Scope | undefined): void {
  if (scope !== undefined && request.caller?.scopes.includes(scope)) return;
  throw new RequestRefusal("forbidden", `This needs a token with the scope "${scope}".`, {
    headers: { "www-authenticate": `Bearer realm="tranship", error="insufficient_scope", scope="${scope}"` },
  });
}

function bearer(header: string | undefined, known: readonly KnownToken[]): Caller {
  const secret = /^Bearer +([^\s]+) *$/i.exec(header ?? "")?.[1];
  if (secret === undefined) throw unauthenticated("Send a token: `Authorization: Bearer <secret>`.", "");
  const digest = digestOf(secret);
  let found: Caller | null = null;
  // Digests are compared in constant time and the loop never ends early, so that timing reveals nothing.
  for (const token of known) if (timingSafeEqual(token.digest, digest)) found = token.caller;
  if (found === null) throw unauthenticated("The token is not known here.", ', error="invalid_token"');
  return found;
}

function unauthenticated(message: string, parameters: string): RequestRefusal {
  return new RequestRefusal("unauthenticated", message, {
    headers: { "www-authenticate": `Bearer realm="tranship"${parameters}` },
  });
}

function digestOf(secret: string): Buffer {
  return createHash("sha256").update(secret, "utf8").digest();
}
