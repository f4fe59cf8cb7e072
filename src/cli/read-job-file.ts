/** Reads the JSON a user names on the command line, and says exactly where it cannot be read. */

import { readFile } from "node:fs/promises";
import { DomainError, messageOf } from "../domain/errors.ts";
import type { CommandContext } from "./command.ts";

/** The parsed contents of `path`, `-` for standard input; throws `invalid_input`. */
export async function readJobFile(
  path: string,
  context: Pick<CommandContext, "readStdin">,
): Promise<unknown> {
  const name = path === "-" ? "standard input" : path;
  const text = await readText(path, name, context);
  try {
    // A byte order mark is what some editors put in front; it belongs to no JSON text.
    return JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (error) {
    throw new DomainError("invalid_input", `${name} is not JSON: ${whereAndWhat(error, text)}`, {
      cause: error,
    });
  }
}

async function readText(
  path: string,
  name: string,
  context: Pick<CommandContext, "readStdin">,
): Promise<string> {
  try {
    return path === "-" ? await context.readStdin() : await readFile(path, "utf8");
  } catch (error) {
    throw new DomainError("invalid_input", `cannot read ${name}: ${messageOf(error)}`, { cause: error });
  }
}

function whereAndWhat(error: unknown, text: string): string {
  const message = messageOf(error);
  const position = /at position (\d+)/.exec(message)?.[1];
  if (position === undefined) return message;
  const before = text.slice(0, Number(position)).split("\n");
  const column = (before.at(-1)?.length ?? 0) + 1;
  return `line ${before.length}, column ${column}: ${message}`;
}
