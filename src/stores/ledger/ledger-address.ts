/** The ledger's address, as configured: a file, or a schema on a server. */

import { DomainError } from "../../domain/errors.ts";
import { type MysqlAddress, type MysqlServer, readMysqlAddress } from "../mysql-address.ts";

export type LedgerAddress =
  | { readonly kind: "sqlite"; readonly file: string }
  | ({ readonly kind: "mysql" } & MysqlAddress);

const FORMS = "sqlite:FILE or mysql://user:password@host:3306/schema";

/** Takes `sqlite:FILE`, `mysql://…` and an object apart; anything else is `config_invalid`, without any part of a URL. */
export function readLedgerAddress(given: string | MysqlServer): LedgerAddress {
  if (typeof given === "string" && given.startsWith("sqlite:") && given.length > "sqlite:".length) {
    return { kind: "sqlite", file: given.slice("sqlite:".length) };
  }
  try {
    return { kind: "mysql", ...readMysqlAddress("the ledger", given) };
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    throw new DomainError("config_invalid", `The ledger's address must be ${FORMS}: ${error.message}`);
  }
}
