/** Substitution of environment variables in the strings of the configuration. */

import { existsSync } from "node:fs";
import { resolve } from "node:path";

const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;
const SERVER_URL = /^(?:mysql|mariadb):\/\//;

/**
 * `template` with each `${NAME}` replaced by `find(NAME)`. In a URL of a database's server the value is percent-encoded,
 * in each part but the host: a password may hold any character. Where a single variable precedes the `@`, the first colon
 * of its value ends the user name.
 */
export function fillTemplate(template: string, find: (name: string) => string): string {
  const scheme = SERVER_URL.exec(template)?.[0];
  if (scheme === undefined) return plain(template, find);
  const rest = template.slice(scheme.length);
  const end = rest.search(/[/?#]/);
  const [authority, after] = end < 0 ? [rest, ""] : [rest.slice(0, end), rest.slice(end)];
  const at = authority.lastIndexOf("@");
  const [account, host] = at < 0 ? ["", authority] : [authority.slice(0, at + 1), authority.slice(at + 1)];
  const encoded = (name: string) => encodeURIComponent(find(name).toWellFormed());
  const isOne = /^\$\{[A-Za-z0-9_]+\}@$/.test(account);
  return (
    scheme +
    plain(account, isOne ? (name) => encodedAccount(find(name)) : encoded) +
    plain(host, find) +
    plain(after, encoded)
  );
}

function encodedAccount(account: string): string {
  const colon = account.indexOf(":");
  const parts = colon < 0 ? [account] : [account.slice(0, colon), account.slice(colon + 1)];
  return parts.map((part) => encodeURIComponent(part.toWellFormed())).join(":");
}

function plain(template: string, find: (name: string) => string): string {
  return template.replaceAll(VARIABLE, (_, name: string) => find(name));
}

/** A `sqlite:` address whose relative file is resolved from `folder`; any other address unchanged. */
export function fileFrom<Address>(folder: string, address: Address): Address | string {
  if (typeof address !== "string" || !address.startsWith("sqlite:")) return address;
  return `sqlite:${resolve(folder, address.slice("sqlite:".length))}`;
}

/**
 * The file of a relative `sqlite:` address that exists in the working directory and not in `folder`: earlier versions
 * resolved from there. A new empty ledger in its place would not contain its jobs. Null otherwise.
 */
export function fileLeftElsewhere(folder: string, address: unknown): string | null {
  if (typeof address !== "string" || !address.startsWith("sqlite:")) return null;
  const path = address.slice("sqlite:".length);
  const here = resolve(path);
  return here !== resolve(folder, path) && existsSync(here) && !existsSync(resolve(folder, path))
    ? here
    : null;
}
