/** JSON body parser: strict UTF-8 and JSON, no prototype keys; messages never quote the body. */

import type { FastifyInstance } from "fastify";
import { jsonFaultIndex, placeOf } from "../domain/json-syntax.ts";
import { unreadable } from "./problem-details.ts";

/** Makes `application/json` the only content type that `app` accepts. An empty body counts as no body. */
export function acceptJsonOnly(app: FastifyInstance): void {
  // Keys named __proto__ could become prototypes when the object is copied: refused, as Fastify does.
  const parse = app.getDefaultJsonParser("error", "error");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, body: Buffer, done) => {
    if (body.length === 0) {
      done(null, undefined);
      return;
    }
    const text = decode(body);
    if (text === null) {
      done(unreadable("The body is not UTF-8."));
      return;
    }
    void parse(request, text, (error, value) => {
      if (error === null) done(null, value);
      else done(unreadable(messageFor(text)));
    });
  });
}

/** Decodes strictly, since object keys are byte strings and replacing invalid UTF-8 would change them. */
function decode(body: Buffer): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    return null;
  }
}

function messageFor(text: string): string {
  const index = jsonFaultIndex(text);
  if (index === null) return "The body has a field named __proto__ or constructor.prototype.";
  if (index === text.length) return `The body is not JSON: it ends too early, at ${placeOf(text, index)}.`;
  return `The body is not JSON: see ${placeOf(text, index)}.`;
}
