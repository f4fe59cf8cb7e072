/** The built executable, started as the link that npm makes to it starts it. */

import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Arguments for Node that run the executable in `dist`: what its first line asks of Node, the file, `args`. Not by that
 * line itself, which would take the first `node` of the path.
 */
export function nodeArguments(dist: string, args: readonly string[]): string[] {
  const main = join(dist, "src/main.js");
  return [...askedOfNode(readFileSync(main, "utf8")), main, ...args];
}

/** Options for Node in a program's first line, `#!/usr/bin/env -S node …`. Throws when there is no such line. */
export function askedOfNode(program: string): string[] {
  const asked = /^#!\/usr\/bin\/env -S node( .*)?\n/.exec(program);
  if (asked === null) throw new Error("the program's first line does not name Node");
  return (asked[1] ?? "").split(" ").filter((option) => option !== "");
}
