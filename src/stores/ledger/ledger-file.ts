/** Notices that the file of an SQLite ledger was deleted, replaced or cut short: SQLite reports no error. */

import { realpathSync, type Stats, statSync } from "node:fs";
import { ledgerLost } from "./ledger-errors.ts";

/** Of this process alone. */
const IN_MEMORY = ":memory:";

/** Looks at the file; throws `ledger_lost`, and then does so for ever. */
export type FileCheck = () => void;

/**
 * A check of the ledger in `file`, which is open, and of its write-ahead log if it has one. Costs two `stat` calls. The files are not
 * opened for it: closing them again would give up SQLite's own locks.
 */
export function checkOfLedgerFile(file: string): FileCheck {
  if (file === IN_MEMORY) return () => {};
  const path = realpathSync(file);
  const checks = [path, `${path}-wal`].flatMap((each) => {
    const before = statOf(each);
    return before === null ? [] : [checkOf(each, before, each === path)];
  });
  let lost: Error | null = null;
  return () => {
    // What was cut short grows again with what is written now: it stays lost.
    const fault = lost === null ? checks.map((check) => check()).find((found) => found !== null) : null;
    if (fault) lost = ledgerLost(`The ledger's file ${fault}.`, REMEDY);
    if (lost !== null) throw lost;
  };
}

const REMEDY =
  "Stop tranship, put the file back from a backup (and remove its -wal and -shm, which belong to the lost one), and start again";

/** Gives what is wrong with `path`, or null. */
function checkOf(path: string, before: Stats, keepsItsSize: boolean): () => string | null {
  let { size } = before;
  return () => {
    const now = statOf(path);
    if (now === null) return `${path} was deleted or moved away`;
    if (now.ino !== before.ino || now.dev !== before.dev) return `${path} was replaced by another one`;
    // A ledger never gives space back to the disk.
    if (keepsItsSize && now.size < size) return `${path} was cut short, from ${size} bytes to ${now.size}`;
    size = now.size;
    return null;
  };
}

function statOf(path: string): Stats | null {
  return statSync(path, { throwIfNoEntry: false }) ?? null;
}
