/** `runCommandLine`: finds the named command, runs it, and turns its result or error into an exit code. */

import type { Command, CommandContext } from "./command.ts";
import { parseCommandArguments } from "./command-arguments.ts";
import { actionCommands } from "./commands/action-commands.ts";
import { awsCheckCommand } from "./commands/aws-check.ts";
import { awsForgetCommand } from "./commands/aws-forget.ts";
import { awsNotifyCommand } from "./commands/aws-notify.ts";
import { awsPackageCommand } from "./commands/aws-package.ts";
import { awsTemplateCommand } from "./commands/aws-template.ts";
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
  awsPackageCommand,
  awsTemplateCommand,
  awsNotifyCommand,
  awsCheckCommand,
  awsForgetCommand,
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
  const words = name === "help" ? rest : args;
  const { command, following } = commandOf(words);
  const given = parseCommandArguments(command, name === "help" ? ["--help"] : following);
  if (given.help) {
    output.out(commandHelp(command));
    return EXIT.completed;
  }
  return command.run(given, context);
}

/** The command that `words` begin with, and what follows it; the names of a group have two words. */
function commandOf(words: readonly string[]): {
  readonly command: Command;
  readonly following: readonly string[];
} {
  const [first = "", second] = words;
  const group = COMMANDS.filter(({ name }) => name.startsWith(`${first} `));
  if (group.length === 0) return { command: commandNamed(first), following: words.slice(1) };
  const command = group.find(({ name }) => name === `${first} ${second}`);
  if (command !== undefined) return { command, following: words.slice(2) };
  const names = group.map(({ name }) => name.slice(first.length + 1));
  const nearest = second === undefined ? null : nearestName(second, names);
  const hint = nearest === null ? "" : `; did you mean "${first} ${nearest}"?`;
  throw new UsageError(`${first} is followed by one of ${names.join(", ")}${hint}`);
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
