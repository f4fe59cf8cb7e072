/** The process of a command: command line in, exit code out. */

import { buffer } from "node:stream/consumers";
import { runCommandLine } from "./cli/commands.ts";
import { processOutput } from "./cli/output.ts";
import { stopSignals } from "./cli/stop-signals.ts";
import { readEnvironment } from "./config.ts";
import { boundHeapGrowth } from "./heap-growth.ts";
import { systemClock } from "./stores/system-clock.ts";
import { VERSION } from "./version.ts";

boundHeapGrowth();
const output = processOutput(process);

process.exitCode = await runCommandLine(process.argv.slice(2), {
  output,
  environment: readEnvironment(),
  version: VERSION,
  fetch: globalThis.fetch,
  clock: systemClock,
  readStdin: () => buffer(process.stdin),
  stopSignal: stopSignals(process, (note) => output.err(note)),
  // Loaded when needed: `tranship status` has no use for database drivers and S3 clients.
  compose: async (config, purpose) => (await import("./compose.ts")).compose(config, purpose),
  openApiDocument: async () => (await import("./http/openapi-document.ts")).openApiDocument(),
  openDeployment: async (config, store) =>
    (await import("./compose-deployment.ts")).openDeployment(config, store),
  deploymentTemplate: async (hashes) => (await import("./compose-deployment.ts")).deploymentTemplate(hashes),
  runDemo: async (options) => (await import("./demo/demo.ts")).runDemo(options),
});
