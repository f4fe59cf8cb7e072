/** `readJobFile`: reads a JSON file named on the command line; errors name line and column. */

import { readFile } from "node:fs/promises";
import { DomainError, messageOf } from "../domain/errors.ts";
import { jsonFaultIndex, placeOf } from "../domain/json-syntax.ts";
import type { CommandContext } from "./command.ts";

/** The parsed contents of `path`, `-` for standard input; throws `invalid_input`. */
export async function readJobFile(
  path: string,
  context: Pick<CommandContext, "readStdin">,
): Promise<unknown> {
  const name = path === "-" ? "standard input" : path;
  const text = decode(await readBytes(path, name, context), name);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new DomainError("invalid_input", `${name} is not JSON: ${faultOf(text)}`, { cause: error });
  }
}

async function readBytes(
  path: string,
  name: string,
  context: Pick<CommandContext, "readStdin">,
): Promise<Uint8Array> {
  try {
    return path === "-" ? await context.readStdin() : await readFile(path);
  } catch (error) {
    throw new DomainError("invalid_input", `cannot read ${name}: ${messageOf(error)}`, { cause: error });
  }
}

/** Decodes strictly, since replacing invalid UTF-8 would change prefixes. Skips a byte order mark. */
function decode(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new DomainError("invalid_input", `${name} is not UTF-8`, { cause: error });
  }
}

/** Finds the position of a syntax error, which the parser's message often lacks. */
function faultOf(text: string): string {
  const index = jsonFaultIndex(text) ?? text.length;
  if (index === text.length) return `it ends too early, at ${placeOf(text, index)}`;
  return `see ${placeOf(text, index)}`;
}
