/** Keeps a second process from working on the same SQLite ledger, for as long as the first one lives. */

import { realpathSync } from "node:fs";
import Sqlite, { SqliteError } from "better-sqlite3";
import { DomainError } from "../../domain/errors.ts";

/** A process that was just killed may need a moment to be gone. */
const PATIENCE_MS = 2_000;
/** Visible to this process only. */
const IN_MEMORY = ":memory:";

/** Gives up what {@link lockLedgerFile} took. */
export type Unlock = () => void;

/**
 * Takes the lock of the ledger in `file`, which must be there; throws `conflict` when another process holds it. The
 * lock is SQLite's own on an empty `FILE.lock` beside it: the kernel lets go of it when the process dies, however that
 * happens, so it never has to be removed by hand. Readers of the ledger are not affected.
 */
export function lockLedgerFile(file: string): Unlock {
  if (file === IN_MEMORY) return () => {};
  // One file under two names is one ledger.
  const lock = new Sqlite(`${realpathSync(file)}.lock`, { timeout: PATIENCE_MS });
  try {
    lock.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    throw error instanceof SqliteError && error.code.startsWith("SQLITE_BUSY") ? inUse(file, error) : error;
  }
  return () => lock.close();
}

function inUse(file: string, cause: unknown): DomainError {
  return new DomainError(
    "conflict",
    `another tranship process (serve or run) works with the ledger ${file}, and an SQLite ledger serves one at a ` +
      "time. Use that one, stop it first, or give this one a ledger of its own; for several instances set " +
      '"progress" to mysql://… in all of them',
    { cause },
  );
}
