/**
 * `localOnly`: without tokens, only this machine may use the service. Its port is bound to the loopback interface, but a
 * browser or a proxy on this machine can forward foreign requests. How each is detected:
 *
 * | foreign request through                  | detected by                                           | answer |
 * |------------------------------------------|-------------------------------------------------------|--------|
 * | a name that points at 127.0.0.1          | `Host` is not the loopback: browsers send the name    | 421    |
 * | a proxy on this machine                  | `Forwarded` and similar headers                       | 421    |
 * | a page of another origin, port included  | `Sec-Fetch-Site`, `Origin`                            | 403    |
 *
 * Reads by a page of another origin are answered: without CORS headers the browser does not give it the answer.
 */

import type { FastifyRequest, onRequestHookHandler } from "fastify";
import { namesLoopback } from "../domain/loopback.ts";
import { RequestRefusal } from "./problem-details.ts";

/** Headers that proxies add; many proxies send the loopback as `Host`. */
const FORWARDED = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"] as const;

/** Throws `misdirected` or `forbidden` for a request that did not come from a program or page of this machine. */
export const localOnly: onRequestHookHandler = async (request) => {
  const { host = "" } = request.headers;
  if (!namesLoopback(host)) {
    throw new RequestRefusal(
      "misdirected",
      "Without configured tokens only requests to localhost, 127.0.0.1 or [::1] are answered, and the Host header " +
        "names another host. Configure tokens to serve others.",
    );
  }
  if (FORWARDED.some((name) => request.headers[name] !== undefined)) {
    throw new RequestRefusal(
      "misdirected",
      "Without configured tokens nothing is answered that a proxy has forwarded: it may come from anywhere. Configure tokens.",
    );
  }
  if (changesState(request) && !comesFromOwnPage(request, host)) {
    throw new RequestRefusal(
      "forbidden",
      "Without configured tokens a page of another site or port may not change anything here.",
    );
  }
};

function changesState({ method }: FastifyRequest): boolean {
  return method !== "GET" && method !== "HEAD" && method !== "OPTIONS";
}

/** Programs send neither header; browsers send at least one of them with every request that may change something. */
function comesFromOwnPage({ headers }: FastifyRequest, host: string): boolean {
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin" && site !== "none") return false;
  return headers.origin === undefined || isOriginOf(headers.origin, host);
}

/** Compares hosts with the origin's own scheme, since TLS may end at a proxy. */
function isOriginOf(origin: string, host: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, host: named } = new URL(origin);
  const own = `${protocol}//${host}`;
  return URL.canParse(own) && new URL(own).host === named;
}
