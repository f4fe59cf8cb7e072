/** Large ledgers, filled past the ledger itself, and the room they take. */

import { statSync } from "node:fs";
import { createConnection } from "mysql2/promise";
import { ledgerDataSource } from "../../src/stores/ledger/open-ledger.ts";
import { plannedColumns } from "../../src/stores/ledger/plan-records.ts";
import { realisticObjects, T0 } from "./ledger-fixtures.ts";

const BATCHES = 1_000;
const BATCH_SIZE = 1_000;
const ROWS_PER_INSERT = 50;

/** Plans a million objects in a thousand batches; their keys are in no order, so every batch spans all of them. */
export async function fillJob(url: string, jobId: string): Promise<void> {
  const dataSource = await ledgerDataSource(url).initialize();
  try {
    for (let from = 0; from < BATCHES; from += ROWS_PER_INSERT) {
      const rows = Array.from({ length: ROWS_PER_INSERT }, (_, offset) => {
        const seq = from + offset + 1;
        const objects = realisticObjects((seq - 1) * BATCH_SIZE, BATCH_SIZE);
        return plannedColumns({ jobId, seq, objects, plannedUnder: 1 }, `${seq}`, "runner", T0);
      });
      const names = Object.keys(rows[0]!);
      const places = rows.map(() => `(${names.map(() => "?").join(", ")})`).join(", ");
      await dataSource.query(
        `INSERT INTO tranship_batches (${names.join(", ")}) VALUES ${places}`,
        rows.flatMap((row) => Object.values(row)),
      );
    }
  } finally {
    await dataSource.destroy();
  }
}

/** What the file system gives to the ledger at `url`; InnoDB takes some megabytes in advance. */
export async function bytesOnDisk(url: string): Promise<number> {
  if (url.startsWith("sqlite:")) return sqliteBytes(url);
  return mariadbNumber(
    url,
    `SELECT SUM(FILE_SIZE) FROM information_schema.INNODB_SYS_TABLESPACES
     WHERE NAME LIKE CONCAT(DATABASE(), '/tranship%')`,
  );
}

/** What of it is in use. */
export async function bytesUsed(url: string): Promise<number> {
  if (url.startsWith("sqlite:")) return sqliteBytes(url);
  return mariadbNumber(
    url,
    "SELECT SUM(data_length + index_length) FROM information_schema.tables WHERE table_schema = DATABASE()",
  );
}

function sqliteBytes(url: string): number {
  const file = url.slice("sqlite:".length);
  return statSync(file).size + (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0);
}

async function mariadbNumber(url: string, query: string): Promise<number> {
  const connection = await createConnection(url);
  try {
    // Without it the statistics may be from before.
    await connection.query("ANALYZE TABLE tranship_batches, tranship_exceptions");
    const [rows] = await connection.query({ sql: query, rowsAsArray: true });
    return Number((rows as unknown[][])[0]?.[0]);
  } finally {
    await connection.end();
  }
}
