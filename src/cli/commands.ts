/** `runCommandLine`: finds the named command, runs it, and turns its result or error into an exit code. */

import type { Command, CommandContext } from "./command.ts";
import { parseCommandArguments } from "./command-arguments.ts";
import { actionCommands } from "./commands/action-commands.ts";
import { demoCommand } from "./commands/demo-command.ts";
import { listCommand } from "./commands/list-command.ts";
import { openapiCommand } from "./commands/openapi-command.ts";
import { planCommand } from "./commands/plan-command.ts";
import { runCommand } from "./commands/run-command.ts";
import { serveCommand } from "./commands/serve-command.ts";
import { statusCommand } from "./commands/status-command.ts";
import { submitCommand } from "./commands/submit-command.ts";
import { watchCommand } from "./commands/watch-command.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { nearestName } from "./nearest-name.ts";
import { reportFailure } from "./rendering/failure-text.ts";
import { commandHelp, generalHelp } from "./rendering/help-text.ts";
import { UsageError } from "./usage-error.ts";

/** All commands, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  serveCommand,
  planCommand,
  runCommand,
  demoCommand,
  submitCommand,
  listCommand,
  statusCommand,
  watchCommand,
  ...actionCommands,
  openapiCommand,
];

/** Runs the command line `args` (without node and script) and gives the exit code; never throws. */
export async function runCommandLine(args: readonly string[], context: CommandContext): Promise<ExitCode> {
  try {
    return await dispatch(args, context);
  } catch (error) {
    return reportFailure(error, args.includes("--json"), context.output);
  }
}

async function dispatch(args: readonly string[], context: CommandContext): Promise<ExitCode> {
  const { output } = context;
  const [name, ...rest] = args;
  if (name === undefined) {
    output.err(generalHelp(COMMANDS));
    return EXIT.badInput;
  }
  if (name === "--help" || name === "-h" || (name === "help" && rest.length === 0)) {
    output.out(generalHelp(COMMANDS));
    return EXIT.completed;
  }
  if (name === "--version") {
    output.out(rest.includes("--json") ? `${JSON.stringify(context.version)}\n` : `${context.version}\n`);
    return EXIT.completed;
  }
  const command = commandNamed(name === "help" ? (rest[0] ?? "") : name);
  const given = parseCommandArguments(command, name === "help" ? ["--help"] : rest);
  if (given.help) {
    output.out(commandHelp(command));
    return EXIT.completed;
  }
  return command.run(given, context);
}

function commandNamed(name: string): Command {
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command !== undefined) return command;
  if (name.startsWith("-")) {
    throw new UsageError(`${JSON.stringify(name)} stands before any command; options follow the command`);
  }
  const names = COMMANDS.map((candidate) => candidate.name);
  const nearest = nearestName(name, names);
  const hint = nearest === null ? `commands are: ${names.join(", ")}` : `did you mean "${nearest}"?`;
  throw new UsageError(`unknown command ${JSON.stringify(name)}; ${hint}`);
}
