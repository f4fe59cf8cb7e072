/** The entries of processes about a limit of a store: one row for each limit, changed by compare-and-set. */

import { setTimeout as sleep } from "node:timers/promises";
import { DomainError } from "../../../domain/errors.ts";
import type { ShareEntry } from "../../../domain/rates/store-shares.ts";
import type { Ledger } from "../../../ports/ledger.ts";
import type { LedgerSession, Sql } from "../ledger-session.ts";

/** Of processes that write at the same moment one succeeds; there are few of them, and they write once a second. */
const MAX_ATTEMPTS = 30;
/** Longest pause before the next attempt; random, so that two processes do not meet again. */
const MAX_PAUSE_MS = 20;

interface Row {
  readonly version: number;
  readonly shares: string;
}

/** What instances have agreed on about limits of stores. */
export function shareRecords(session: LedgerSession): Pick<Ledger, "reviseShares"> {
  return {
    /** Replaces what is written down for `name`; no transaction and no lock that a stopped process could keep. */
    async reviseShares(name, revise) {
      await session.run(async (sql) => {
        for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
          const row = await readRow(session, sql, name);
          const revised = revise(JSON.parse(row.shares) as ShareEntry[]);
          const changed = await sql.change(
            "UPDATE tranship_store_shares SET shares = ?, version = version + 1 WHERE name = ? AND version = ?",
            [JSON.stringify(revised), name, row.version],
          );
          if (changed > 0) return;
          await sleep(MAX_PAUSE_MS * Math.random());
        }
        throw new DomainError(
          "ledger_unavailable",
          `The shares of limit "${name}" were changed by others ${MAX_ATTEMPTS} times in a row.`,
        );
      });
    },
  };
}

async function readRow(session: LedgerSession, sql: Sql, name: string): Promise<Row> {
  const [row] = await sql.rows<Row>("SELECT version, shares FROM tranship_store_shares WHERE name = ?", [
    name,
  ]);
  if (row !== undefined) return row;
  const none: Row = { version: 0, shares: "[]" };
  await sql.change(
    `INSERT INTO tranship_store_shares (name, version, shares) VALUES (?, ?, ?) ${session.orKeep("name")}`,
    [name, none.version, none.shares],
  );
  return none;
}
