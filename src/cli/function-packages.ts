/** The packages of the functions that run on AWS: from what the build has bundled, the same bytes for the same source. */

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { zipSync } from "fflate";
import { DomainError } from "../domain/errors.ts";

/** Names of the functions; each is an entry point in `src/lambda` that exports `handler`. */
export const FUNCTION_NAMES = ["copy-object", "object-landed"] as const;

export type FunctionName = (typeof FUNCTION_NAMES)[number];

export interface FunctionPackage {
  readonly name: FunctionName;
  /** Holds one file, `NAME.mjs`; the function's handler is `NAME.handler`. */
  readonly zip: Uint8Array;
  /** Of the zip, base64: Lambda's `CodeSha256`. */
  readonly sha256: string;
  /** Of the zip. */
  readonly bytes: number;
}

/** The file of a function in the directory of bundles, and in its package. */
export function bundleFile(name: FunctionName): string {
  return `${name}.mjs`;
}

/** The packages of all functions, whose bundles are in `directory`. Throws `not_available` where there are none. */
export function packages(directory: string = builtFunctions()): FunctionPackage[] {
  return FUNCTION_NAMES.map((name) => {
    const zip = zipped(bundleFile(name), readFileSync(join(directory, bundleFile(name))));
    const sha256 = createHash("sha256").update(zip).digest("base64");
    return { name, zip, sha256, bytes: zip.length };
  });
}

/** Milliseconds that a new process of this Node.js takes to import the function's bundle: a part of each cold start. */
export async function importMs(name: FunctionName, directory: string = builtFunctions()): Promise<number> {
  const code =
    "const began = performance.now(); await import(process.argv[1]); console.log(performance.now() - began);";
  const args = ["--input-type=module", "--eval", code, join(directory, bundleFile(name))];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return Number(stdout);
}

/** A zip whose bytes depend on the content alone: fflate writes the date by the local clock, so it is given one of those. */
function zipped(file: string, content: Uint8Array): Uint8Array {
  const mtime = new Date(2000, 0, 1);
  // A regular file of Unix (system 3) that all may read, as Lambda demands.
  return zipSync({ [file]: content }, { level: 9, mtime, os: 3, attrs: 0o100644 << 16 });
}

/** `lambda` beside the executable's own folder; this code is in a file of that folder, or of one within it. */
function builtFunctions(): string {
  for (let at = import.meta.dirname; at !== dirname(at); at = dirname(at)) {
    const directory = join(at, "lambda");
    if (FUNCTION_NAMES.every((name) => existsSync(join(directory, bundleFile(name))))) return directory;
  }
  throw new DomainError("not_available", "The functions are not built: run `npm run build`.");
}
