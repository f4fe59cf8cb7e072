/** Answers to requests without a route: 405 with `Allow` where the path exists for other methods, else 404. */

import type { FastifyInstance } from "fastify";
import { pathOf, RequestRefusal } from "./problem-details.ts";

/** Records the routes registered on `app` from now on, and answers all other requests. */
export function refuseUnmatched(app: FastifyInstance): void {
  const methodsByPath = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>();
  app.addHook("onRoute", ({ url, method }) => {
    const entry = methodsByPath.get(url) ?? { pattern: patternOf(url), methods: new Set<string>() };
    methodsByPath.set(url, entry);
    for (const one of [method].flat()) entry.methods.add(one);
  });
  app.setNotFoundHandler(async (request) => {
    const path = pathOf(request.url);
    const methods = [...methodsByPath.values()].flatMap((entry) =>
      entry.pattern.test(path) ? [...entry.methods] : [],
    );
    if (methods.length === 0) throw new RequestRefusal("not_found", "There is nothing at this path.");
    const allow = [...new Set(methods)].sort().join(", ");
    throw new RequestRefusal("method_not_allowed", `This path takes ${allow}.`, { headers: { allow } });
  });
}

function patternOf(url: string): RegExp {
  const source = url
    .split("/")
    .map((part) => {
      if (part.startsWith(":")) return "[^/]+";
      return part === "*" ? ".*" : part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
    })
    .join("/");
  return new RegExp(`^${source}$`);
}
