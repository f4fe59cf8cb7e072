/** Where a MariaDB or MySQL server is, as configured: a URL or an object, and what must never be shown of them. */

import { DomainError } from "../domain/errors.ts";

/** A server and a database on it, as the configuration's object has them. */
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
 * Takes `mysql://user:password@host:port/database` (either scheme name; `?tls=true` encrypts) or an object apart. Throws
 * `config_invalid`, which begins with `subject` and holds no part of a URL but the names of parameters.
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
  // The first of these ends the host. What stands before an `@` behind it was meant to be a user name or a password, and
  // a part of it would now be the host that we ask for.
  if (/[@#]/.test(afterHost)) {
    throw invalid(
      "the URL has @ or # behind its host: percent-encode such characters in user name and password " +
        "(@ / # ? : % space), or configure an object with host, user, password and database",
    );
  }
  // The parser's own error carries the whole URL, password included: it must not become our cause.
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

/** What is before `at`, and what from there on, without the `://` of a scheme; everything is before -1. */
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
