/** Addresses of MariaDB and MySQL servers as configured, a URL or an object; messages never contain their secrets. */

import { DomainError } from "../domain/errors.ts";

/** The object form of an address in the configuration. */
export interface MysqlServer {
  readonly host: string;
  /** 3306 unless given. */
  readonly port?: number | undefined;
  readonly user: string;
  readonly password?: string | undefined;
  readonly database: string;
  readonly tls?: boolean | undefined;
}

export interface MysqlAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly tls: boolean;
}

const PORT = 3306;

/**
 * Parses `mysql://user:password@host:port/database` (or `mariadb://`; `?tls=true` encrypts) or an object. Throws
 * `config_invalid`, whose message begins with `subject` and contains no part of a URL except names of parameters.
 */
export function readMysqlAddress(subject: string, given: string | MysqlServer): MysqlAddress {
  if (typeof given !== "string") {
    const { port = PORT, password = "", tls = false } = given;
    return { ...given, port, password, tls };
  }
  const invalid = (what: string) => new DomainError("config_invalid", `${subject}: ${what}`);
  const [scheme, afterScheme = ""] = split(given, given.indexOf("://"));
  if (scheme !== "mysql" && scheme !== "mariadb")
    throw invalid("the URL must begin with mysql:// or sqlite:");
  const [, afterHost] = split(afterScheme, afterScheme.search(/[/?#]/));
  // The first of these characters ends the host. An `@` after it means an unencoded character in user name or password, part
  // of which would become the host.
  if (/[@#]/.test(afterHost)) {
    throw invalid(
      "the URL has @ or # behind its host: percent-encode such characters in user name and password " +
        "(@ / # ? : % space), or configure an object with host, user, password and database",
    );
  }
  // The parser's error contains the whole URL with the password: it must not become the cause.
  if (!URL.canParse(given)) throw invalid("the URL cannot be parsed; percent-encode special characters");
  const { hostname, port, username, password, pathname, searchParams } = new URL(given);
  if (hostname === "" || !/^\/[^/]+$/.test(pathname)) {
    throw invalid("the URL must name a host and a database, mysql://user:password@host:port/database");
  }
  const [user, secret, database] = [username, password, pathname.slice(1)].map(decoded);
  if (user == null || secret == null || database == null) {
    throw invalid("the URL holds a malformed percent escape");
  }
  return {
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? PORT : Number(port),
    ...{ user, password: secret, database },
    tls: readTls(searchParams, invalid),
  };
}

function readTls(parameters: URLSearchParams, invalid: (what: string) => DomainError): boolean {
  for (const name of parameters.keys()) {
    if (name !== "tls") {
      throw invalid(
        `the URL's parameter ${JSON.stringify(name)} is not known; known is tls=true, which encrypts`,
      );
    }
  }
  const tls = parameters.get("tls") ?? "false";
  if (tls !== "true" && tls !== "false") throw invalid("the URL's parameter tls must be true or false");
  return tls === "true";
}

/** Splits at index `at` and drops the `://` of a scheme; -1 puts everything into the first part. */
function split(text: string, at: number): [string, string] {
  if (at < 0) return [text, ""];
  const rest = text.slice(at);
  return [text.slice(0, at), rest.startsWith("://") ? rest.slice(3) : rest];
}

function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}
