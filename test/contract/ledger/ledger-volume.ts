/** Large ledgers, filled past the ledger itself, and the room they take. */

import { statSync } from "node:fs";
import { createConnection } from "mysql2/promise";
import type { Batch } from "../../../src/domain/batch.ts";
import { plannedColumns } from "../../../src/stores/ledger/batches/plan-records.ts";
import { ledgerDataSource } from "../../../src/stores/ledger/open-ledger.ts";
import { isMysql } from "../../support/servers/mariadb.ts";
import { realisticObjects, T0 } from "./ledger-fixtures.ts";

const BATCHES = 1_000;
const BATCH_SIZE = 1_000;
const ROWS_PER_INSERT = 50;

type PlannedRow = ReturnType<typeof plannedColumns>;

let millionRows: PlannedRow[] | null = null;

/** A million objects in a thousand batches; their keys are in no order, so every batch spans all of them. */
function plannedMillion(): PlannedRow[] {
  // Made once for all databases: it takes longer than writing it.
  millionRows ??= Array.from({ length: BATCHES }, (_, index) => {
    const objects = realisticObjects(index * BATCH_SIZE, BATCH_SIZE);
    return plannedColumns(
      { jobId: "", seq: index + 1, objects, plannedUnder: 1 },
      `image/${index}`,
      "runner",
      T0,
    );
  });
  return millionRows;
}

/** Plans a million objects for the job. */
export async function fillJob(url: string, jobId: string): Promise<void> {
  const rows = plannedMillion();
  const names = Object.keys(rows[0]!);
  const dataSource = await ledgerDataSource(url).initialize();
  try {
    for (let from = 0; from < BATCHES; from += ROWS_PER_INSERT) {
      const part = rows.slice(from, from + ROWS_PER_INSERT);
      const places = part.map(() => `(${names.map(() => "?").join(", ")})`).join(", ");
      await dataSource.query(
        `INSERT INTO tranship_batches (${names.join(", ")}) VALUES ${places}`,
        part.flatMap((row) => Object.values({ ...row, job_id: jobId })),
      );
    }
  } finally {
    await dataSource.destroy();
  }
}

/** Adds `count` finished batches to the job of `pattern`, numbered from 1,000, all like it otherwise. */
export async function repeatAsDone(url: string, pattern: Batch, count: number): Promise<void> {
  const columns = Object.keys(plannedColumns(pattern, null, null, T0));
  const valued = (values: Readonly<Record<string, string>>) =>
    columns.map((name) => values[name] ?? name).join(", ");
  const insert = `INSERT INTO tranship_batches (${columns.join(", ")}, update_ended_at)`;
  const from = `${T0} FROM tranship_batches WHERE job_id = ? AND seq`;
  const dataSource = await ledgerDataSource(url).initialize();
  try {
    await dataSource.query(`${insert} SELECT ${valued({ seq: "1000", state: "'done'" })}, ${from} = ?`, [
      ...[pattern.jobId, pattern.seq],
    ]);
    for (let have = 1; have < count; have *= 2) {
      await dataSource.query(
        `${insert} SELECT ${valued({ seq: `seq + ${have}` })}, ${from} BETWEEN 1000 AND ?`,
        [...[pattern.jobId, 999 + Math.min(have, count - have)]],
      );
    }
  } finally {
    await dataSource.destroy();
  }
}

/** What the file system gives to the ledger at `url`; InnoDB takes some megabytes in advance. */
export async function bytesOnDisk(url: string): Promise<number> {
  if (url.startsWith("sqlite:")) return sqliteBytes(url);
  return serverNumber(
    url,
    (tablespaces) =>
      `SELECT SUM(FILE_SIZE) FROM information_schema.${tablespaces} WHERE NAME LIKE CONCAT(DATABASE(), '/tranship%')`,
  );
}

/** What of it is in use. */
export async function bytesUsed(url: string): Promise<number> {
  if (url.startsWith("sqlite:")) return sqliteBytes(url);
  return serverNumber(
    url,
    () =>
      "SELECT SUM(data_length + index_length) FROM information_schema.tables WHERE table_schema = DATABASE()",
  );
}

function sqliteBytes(url: string): number {
  const file = url.slice("sqlite:".length);
  return statSync(file).size + (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0);
}

/** The number that `query` asks for, given the name of the server's table of tablespaces. */
async function serverNumber(url: string, query: (tablespaces: string) => string): Promise<number> {
  const connection = await createConnection(url);
  try {
    // Without it the statistics may be from before.
    await connection.query("ANALYZE TABLE tranship_batches, tranship_exceptions");
    const sql = query((await isMysql(url)) ? "INNODB_TABLESPACES" : "INNODB_SYS_TABLESPACES");
    const [rows] = await connection.query({ sql, rowsAsArray: true });
    return Number((rows as unknown[][])[0]?.[0]);
  } finally {
    await connection.end();
  }
}
