/**
 * Without tokens the service is for this machine alone. Its port is bound to the loopback, yet a browser on this machine
 * reaches it for any page: these are the ways in.
 *
 * | way in                                   | how it is told                                        | answer |
 * |------------------------------------------|-------------------------------------------------------|--------|
 * | a name that points at 127.0.0.1          | `Host` is not the loopback, for browsers send the name | 421    |
 * | a proxy on this machine                  | `Forwarded` and its kin                               | 421    |
 * | a page of another origin, port included  | `Sec-Fetch-Site`, `Origin`                            | 403    |
 *
 * Reads of a page of another origin are taken: without CORS headers the browser keeps the answer from it.
 */

import type { FastifyRequest, onRequestHookHandler } from "fastify";
import { namesLoopback } from "../domain/loopback.ts";
import { RequestRefusal } from "./problem-details.ts";

/** What proxies add; many send the loopback as `Host`. */
const FORWARDED = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"] as const;

/** Refuses with `misdirected` or `forbidden` what did not come from this machine's own programs and pages. */
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

/** Programs send neither header; a browser sends at least one of them with every request that may change something. */
function comesFromOwnPage({ headers }: FastifyRequest, host: string): boolean {
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin" && site !== "none") return false;
  return headers.origin === undefined || isOriginOf(headers.origin, host);
}

/** The scheme is the origin's: where TLS ends before us, we cannot know it. */
function isOriginOf(origin: string, host: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, host: named } = new URL(origin);
  const own = `${protocol}//${host}`;
  return URL.canParse(own) && new URL(own).host === named;
}
