/** The ledger's address, as configured: which database, how to reach it, and what must never be shown of it. */

import { DomainError } from "../../domain/errors.ts";

export type LedgerAddress =
  | { readonly kind: "sqlite"; readonly file: string }
  | {
      readonly kind: "mysql";
      readonly host: string;
      readonly port: number;
      readonly username: string;
      readonly password: string;
      readonly database: string;
    };

const FORMS = "sqlite:FILE or mysql://user:password@host:3306/schema";

/** Takes `sqlite:FILE` and `mysql://…` apart; anything else is `config_invalid`. */
export function readLedgerAddress(url: string): LedgerAddress {
  if (url.startsWith("sqlite:") && url.length > "sqlite:".length) {
    return { kind: "sqlite", file: url.slice("sqlite:".length) };
  }
  const address = url.startsWith("mysql://") ? mysqlAddress(url) : null;
  // The URL's own error holds the URL, and with it the password: neither is passed on.
  if (address === null) throw new DomainError("config_invalid", `The ledger's address must be ${FORMS}.`);
  return address;
}

function mysqlAddress(url: string): LedgerAddress | null {
  try {
    const { hostname, port, username, password, pathname } = new URL(url);
    const database = decodeURIComponent(pathname.slice(1));
    if (hostname === "" || database === "") return null;
    return {
      kind: "mysql",
      host: hostname.replace(/^\[|\]$/g, ""),
      port: port === "" ? 3306 : Number(port),
      username: decodeURIComponent(username),
      password: decodeURIComponent(password),
      database,
    };
  } catch {
    return null;
  }
}
