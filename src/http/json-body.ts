/** Reads JSON bodies strictly: valid UTF-8, valid JSON, no prototype keys; what is wrong is named, never quoted. */

import type { FastifyInstance } from "fastify";
import { jsonFault } from "../json-fault.ts";
import { unreadable } from "./problem-details.ts";

/** Makes `application/json` the only type of body that `app` takes. An empty body is none at all. */
export function acceptJsonOnly(app: FastifyInstance): void {
  // Own keys named __proto__ would turn into prototypes when somebody copies the object: refused, as Fastify does.
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

/** Keys are byte strings: a decoder that repaired broken UTF-8 would change them without a word. */
function decode(body: Buffer): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    return null;
  }
}

function messageFor(text: string): string {
  const fault = jsonFault(text);
  if (fault === null) return "The body has a field named __proto__ or constructor.prototype.";
  return `The body is not JSON: ${fault}.`;
}
