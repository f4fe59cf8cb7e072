/** `tranship openapi`: prints the OpenAPI document of the API. */

import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";

export const openapiCommand: Command = {
  name: "openapi",
  summary: "print the OpenAPI document",
  operands: [],
  options: [],
  details: ["The document is JSON with and without --json."],
  async run(given, context) {
    const document = await context.openApiDocument();
    context.output.out(`${JSON.stringify(document, null, given.json ? 0 : 2)}\n`);
    return EXIT.completed;
  },
};
