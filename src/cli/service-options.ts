/** Options of the commands that call a running service, and the client made from them. */

import { ApiClient } from "./api-client.ts";
import type { CommandContext } from "./command.ts";
import type { CommandArguments, OptionSpec } from "./command-arguments.ts";
import { UsageError } from "./usage-error.ts";

const USUAL_URL = "http://127.0.0.1:8080";

export const SERVICE_OPTIONS: readonly OptionSpec[] = [
  { name: "url", value: "URL", description: `the service (default $TRANSHIP_URL, else ${USUAL_URL})` },
  {
    name: "token",
    value: "SECRET",
    description: "bearer token (default $TRANSHIP_TOKEN; others can see options)",
  },
];

/** The client for `given` and the environment; throws {@link UsageError} for a URL that is none. */
export function serviceClient(given: CommandArguments, context: CommandContext): ApiClient {
  const { TRANSHIP_URL, TRANSHIP_TOKEN } = context.environment;
  const url = given.value("url") ?? (TRANSHIP_URL || USUAL_URL);
  if (!URL.canParse(url) || !/^https?:/i.test(url)) {
    throw new UsageError(`not an http:// or https:// URL: ${JSON.stringify(url)}`);
  }
  const token = given.value("token") ?? (TRANSHIP_TOKEN || undefined);
  return new ApiClient({ url, token, fetch: context.fetch, clock: context.clock });
}

/** The path of one job. */
export function jobPath(id: string): string {
  return `/jobs/${encodeURIComponent(id)}`;
}
