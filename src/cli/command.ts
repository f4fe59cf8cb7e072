/** `Command`, and the environment that commands may use. */

import type { Purpose, Tranship } from "../compose.ts";
import type { Config, Environment } from "../config.ts";
import type { DemoOptions, DemoResult } from "../demo/demo.ts";
import type { FunctionHashes } from "../domain/function-package.ts";
import type { Clock } from "../ports/clock.ts";
import type { Deployment } from "../ports/deployment.ts";
import type { CommandArguments, CommandSyntax } from "./command-arguments.ts";
import type { ExitCode } from "./exit-code.ts";
import type { Output } from "./output.ts";

export interface Command extends CommandSyntax {
  /** One line in the general help. */
  readonly summary: string;
  /** Text of its own help: what it does, what its exit codes mean. */
  readonly details: readonly string[];
  run(given: CommandArguments, context: CommandContext): Promise<ExitCode>;
}

/** Input, output and signals of commands; `main.ts` gives the process's, tests their own. */
export interface CommandContext {
  readonly output: Output;
  readonly environment: Environment;
  readonly clock: Clock;
  readonly version: string;
  readonly fetch: typeof globalThis.fetch;
  /** Reads standard input to its end. */
  readStdin(): Promise<Uint8Array>;
  /** From the first call on, the first SIGTERM or SIGINT aborts this signal, and a second one ends the process at once. */
  stopSignal(): AbortSignal;
  compose(config: Config, purpose: Purpose): Promise<Tranship>;
  openApiDocument(): Promise<unknown>;
  /** The AWS deployment of the store of this name. */
  openDeployment(config: Config, store: string): Promise<Deployment>;
  /** The CloudFormation template for functions with these packages. */
  deploymentTemplate(hashes: FunctionHashes): Promise<unknown>;
  runDemo(options: DemoOptions): Promise<DemoResult>;
}
