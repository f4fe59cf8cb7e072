/** `tranship serve`: runs the service until a stop signal. */

import type { Tranship } from "../../compose.ts";
import type { Config } from "../../config.ts";
import { DomainError } from "../../domain/errors.ts";
import { isLoopback } from "../../domain/loopback.ts";
import type { Command, CommandContext } from "../command.ts";
import { CONFIG_OPTION, givenConfig } from "../config-option.ts";
import { EXIT } from "../exit-code.ts";

type Server = Awaited<ReturnType<Tranship["server"]>>;

/** Time for HTTP requests under way at a stop; then jobs are stopped, within 10 s in all. */
const REQUESTS_END_MS = 2_000;

const OPEN_TO_THIS_MACHINE =
  "no tokens are configured: every program on this machine may steer jobs; requests from elsewhere are refused\n";

export const serveCommand: Command = {
  name: "serve",
  summary: "run the service: API and scheduler",
  operands: [],
  options: [CONFIG_OPTION],
  details: [
    "SIGTERM or Ctrl-C stops it gracefully within 10 s (exit code 0): requests under way end, jobs are saved",
    "and go on at the next start. A second one ends it at once. Several instances share a mysql:// ledger; with",
    "an SQLite ledger that another serve or run works with, it refuses to start (exit code 2). Without tokens",
    "in the configuration it listens on a loopback address only, and answers requests from this machine only.",
  ],
  async run(given, context) {
    const config = givenConfig(given, context);
    refuseUnprotectedListen(config);
    const stop = context.stopSignal();
    const service = await context.compose(config, { works: true });
    try {
      const server = await service.server();
      const url = await server.listen(config.listen);
      service.startScheduler();
      context.output.err(`tranship ${context.version} listens at ${url}\n`);
      if (config.tokens.length === 0) context.output.err(OPEN_TO_THIS_MACHINE);
      if (given.json) context.output.out(`${JSON.stringify({ url })}\n`);
      await aborted(stop);
      await closeServer(server, context);
    } finally {
      await service.close();
    }
    return EXIT.completed;
  },
};

/** Throws `config_invalid` where the service would listen beyond the loopback interface without tokens. */
function refuseUnprotectedListen({ listen, tokens }: Config): void {
  if (tokens.length > 0 || isLoopback(listen.host)) return;
  const message =
    `without tokens the API, which deletes, would be open to all that reach "${listen.host}": ` +
    'configure "tokens", or listen on 127.0.0.1';
  const faults = [{ pointer: "/listen/host", message }];
  throw new DomainError("config_invalid", `the configuration is not valid: /listen/host: ${message}`, {
    faults,
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

/** Closes the server; connections that are still open after the time are destroyed, e.g. keep-alive ones. */
async function closeServer(server: Server, { clock }: CommandContext): Promise<void> {
  const closed = server.close();
  const waited = new AbortController();
  await Promise.race([closed, clock.sleep(REQUESTS_END_MS, waited.signal)]);
  waited.abort();
  server.server.closeAllConnections();
  await closed;
}
