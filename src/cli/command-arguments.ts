/** `parseCommandArguments`: parses a command's arguments with `node:util`, strictly, with precise messages. */

import { parseArgs } from "node:util";
import { nearestName } from "./nearest-name.ts";
import { UsageError } from "./usage-error.ts";

export interface OptionSpec {
  /** Without the dashes. */
  readonly name: string;
  /** Name of its value in the help; null for a switch. */
  readonly value: string | null;
  readonly description: string;
}

/** Operands and options of a command. */
export interface CommandSyntax {
  readonly name: string;
  /** Names of the operands, all required, e.g. `JOB.json`. */
  readonly operands: readonly string[];
  /** Besides `--json` and `--help`, which every command has. */
  readonly options: readonly OptionSpec[];
}

/** The parsed arguments of a command. */
export interface CommandArguments {
  readonly operands: readonly string[];
  readonly json: boolean;
  readonly help: boolean;
  /** Whether the switch `name` was given. */
  has(name: string): boolean;
  /** The value of option `name`; the last one counts. */
  value(name: string): string | undefined;
}

/** Options of every command. */
export const COMMON_OPTIONS: readonly OptionSpec[] = [
  { name: "json", value: null, description: "machine output on stdout; logs stay on stderr" },
  { name: "help", value: null, description: "this help" },
];

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

/** Reads `args`; throws {@link UsageError}. With `--help` nothing else is checked. */
export function parseCommandArguments(command: CommandSyntax, args: readonly string[]): CommandArguments {
  const known = new Map([...command.options, ...COMMON_OPTIONS].map((option) => [option.name, option]));
  const { tokens, positionals } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      [...known.values()].map(({ name, value }) => [
        name,
        { type: value === null ? ("boolean" as const) : ("string" as const), ...shortOf(name) },
      ]),
    ),
    // Not strict here but below, whose messages are more precise than the parser's.
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given = tokens.filter((token) => token.kind === "option");
  const help = given.some((token) => token.name === "help");
  const values = new Map<string, string>();
  if (!help) {
    for (const token of given) values.set(token.name, givenValue(command, known, token));
    checkOperands(command, positionals);
  }
  return {
    operands: positionals,
    json: values.has("json"),
    help,
    has: (name) => values.has(name),
    value: (name) => values.get(name),
  };
}

function shortOf(name: string): { readonly short?: string } {
  return name === "help" ? { short: "h" } : {};
}

function givenValue(
  command: CommandSyntax,
  known: ReadonlyMap<string, OptionSpec>,
  token: OptionToken,
): string {
  const option = known.get(token.name);
  if (option === undefined) {
    const nearest = nearestName(token.name, [...known.keys()]);
    const hint = nearest === null ? "" : `; did you mean --${nearest}?`;
    throw new UsageError(`unknown option ${token.rawName}${hint}`, command.name);
  }
  if (option.value === null) {
    if (token.value !== undefined) throw new UsageError(`--${option.name} takes no value`, command.name);
    return "";
  }
  // An option in the value's place means a missing value; `--name=-x` gives such a value explicitly.
  const forgotten =
    token.value === undefined ||
    (token.inlineValue !== true && /^-./.test(token.value)) ||
    token.value === "";
  if (forgotten || token.value === undefined) {
    throw new UsageError(`--${option.name} needs a value: --${option.name} ${option.value}`, command.name);
  }
  return token.value;
}

function checkOperands(command: CommandSyntax, operands: readonly string[]): void {
  const missing = command.operands[operands.length];
  if (missing !== undefined) throw new UsageError(`${missing} is missing`, command.name);
  const extra = operands[command.operands.length];
  if (extra !== undefined) throw new UsageError(`unexpected argument ${JSON.stringify(extra)}`, command.name);
}
