/** The ledger on a SQL database, put together from its records. */

import type { Ledger } from "../../ports/ledger.ts";
import { batchReads } from "./batches/batch-reads.ts";
import { consignmentRecords } from "./batches/consignment-records.ts";
import { exceptionRecords } from "./batches/exception-records.ts";
import { KnownObjects } from "./batches/known-objects.ts";
import { objectLookup } from "./batches/object-lookup.ts";
import { planRecords } from "./batches/plan-records.ts";
import { plannedKeys } from "./batches/planned-before.ts";
import { retryRecords } from "./batches/retry-records.ts";
import { stageRecords } from "./batches/stage-records.ts";
import { auditRecords } from "./jobs/audit-records.ts";
import { jobRecords } from "./jobs/job-records.ts";
import { leaseRecords } from "./jobs/lease-records.ts";
import { operatorRecords } from "./jobs/operator-records.ts";
import { shareRecords } from "./jobs/share-records.ts";
import type { LedgerSession } from "./ledger-session.ts";

/** Reads no row, and fails where a table is gone. */
const ONE_OF_EACH = [
  "(SELECT COUNT(*) FROM tranship_jobs WHERE id = '') AS jobs",
  ...["batches", "exceptions", "audit_events"].map(
    (name) => `(SELECT COUNT(*) FROM tranship_${name} WHERE job_id = '') AS ${name}`,
  ),
  "(SELECT COUNT(*) FROM tranship_consignments WHERE job_id = '') AS consignments",
  "(SELECT COUNT(*) FROM tranship_store_shares WHERE name = '') AS shares",
];

/** The ledger whose statements `session` runs; `onClosed` is called when the last connection is closed. */
export function sqlLedger(session: LedgerSession, onClosed: () => void): Ledger {
  const known = new KnownObjects();
  return {
    ...jobRecords(session),
    ...operatorRecords(session),
    ...auditRecords(session),
    ...leaseRecords(session),
    ...planRecords(session, known),
    ...plannedKeys(session),
    ...batchReads(session, known),
    ...stageRecords(session, known),
    ...exceptionRecords(session),
    ...retryRecords(session),
    ...objectLookup(session),
    ...consignmentRecords(session, known),
    ...shareRecords(session),
    hurry: () => session.hurry(),
    async ping() {
      await session.run((sql) => sql.rows(`SELECT ${ONE_OF_EACH.join(", ")}`, []));
    },
    async close() {
      await session.close();
      onClosed();
    },
  };
}
