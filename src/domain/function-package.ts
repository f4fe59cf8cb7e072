/** Names of the packages of functions that run on AWS. */

/** A function's entry point, which names its package, the one file in it, and its handler. */
export type FunctionEntry = "copy-object" | "object-landed";

/** The packages of all functions; `sha256` as Lambda tells it: of the zip, base64. */
export type FunctionHashes = Readonly<Record<FunctionEntry, { readonly sha256: string }>>;

/** Characters of a hash in names. */
const SHORT_HASH = 16;

/** The beginning of a hash in hexadecimal digits, for names. */
export function shortHash(sha256: string): string {
  return Buffer.from(sha256, "base64").toString("hex").slice(0, SHORT_HASH);
}

/** Name of a package's file; it holds the hash, since CloudFormation notices no change of a file under the same name. */
export function packageFile(entry: FunctionEntry, sha256: string): string {
  return `${entry}-${shortHash(sha256)}.zip`;
}
