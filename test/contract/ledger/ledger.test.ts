/** The ledger's contract, on SQLite and on MariaDB or MySQL. */

import { describe, inject } from "vitest";
import { ledgerContract } from "./ledger-contract.ts";
import { mariadbPlace, sqlitePlace } from "./ledger-fixtures.ts";

describe("a ledger in a SQLite file", () => ledgerContract(sqlitePlace));
describe("a ledger in MariaDB or MySQL", () => ledgerContract(() => mariadbPlace(inject("mariadbUrl"))));
