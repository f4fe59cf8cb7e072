/** Help texts of the program and of each command, from the table of commands. */

import type { Command } from "../command.ts";
import type { OptionSpec } from "../command-arguments.ts";
import { COMMON_OPTIONS } from "../command-arguments.ts";

const EXIT_CODES =
  "Exit codes: 0 completed, 1 failed, 2 bad usage or invalid input, 3 completed with exceptions.";

/** `tranship --help`. */
export function generalHelp(commands: readonly Command[]): string {
  const lines = commands.map((command) => [usageOf(command), command.summary] as const);
  return [
    "tranship moves millions of S3 objects to another bucket under a new prefix, and keeps the database rows",
    "that name them pointing at them.",
    "",
    "Usage: tranship <command> [options]",
    "",
    ...table(lines),
    "",
    "JOB.json may be - for standard input. Every command takes --json (machine output on stdout, logs on stderr)",
    "and --help. tranship --version prints the version.",
    EXIT_CODES,
    "",
  ].join("\n");
}

/** `tranship <command> --help`. */
export function commandHelp(command: Command): string {
  const options = [...command.options, ...COMMON_OPTIONS].map(
    (option) => [optionName(option), option.description] as const,
  );
  return [
    `Usage: tranship ${usageOf(command)} [options]`,
    "",
    `${command.summary.charAt(0).toUpperCase()}${command.summary.slice(1)}.`,
    ...command.details,
    "",
    "Options:",
    ...table(options),
    "",
    EXIT_CODES,
    "",
  ].join("\n");
}

function usageOf(command: Command): string {
  return [command.name, ...command.operands].join(" ");
}

function optionName({ name, value }: OptionSpec): string {
  const long = value === null ? `--${name}` : `--${name} ${value}`;
  return name === "help" ? `-h, ${long}` : long;
}

function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
