/** What every ledger must do, whatever database it is kept in. */

import { afterAll, beforeAll } from "vitest";
import type { Ledger } from "../../../src/ports/ledger.ts";
import { batchesContract } from "./ledger-batches-contract.ts";
import { consignmentsContract } from "./ledger-consignments-contract.ts";
import { exceptionsContract } from "./ledger-exceptions-contract.ts";
import { fencingContract } from "./ledger-fencing-contract.ts";
import type { LedgerPlace } from "./ledger-fixtures.ts";
import { jobsContract } from "./ledger-jobs-contract.ts";
import { leasesContract } from "./ledger-leases-contract.ts";
import { lookupContract } from "./ledger-lookup-contract.ts";
import { sharesContract } from "./ledger-shares-contract.ts";
import { storageContract } from "./ledger-storage-contract.ts";
import { tallyContract } from "./ledger-tally-contract.ts";
import { volumeContract } from "./ledger-volume-contract.ts";

/** Runs the whole contract on ledgers in new places. */
export function ledgerContract(newPlace: () => Promise<LedgerPlace>): void {
  let place: LedgerPlace;
  let ledger: Ledger;
  beforeAll(async () => {
    place = await newPlace();
    ledger = await place.open();
  });
  afterAll(() => place.dispose());

  jobsContract(() => ledger);
  leasesContract(() => ledger);
  fencingContract(() => ledger);
  batchesContract(() => ledger);
  consignmentsContract(() => ledger);
  exceptionsContract(() => ledger);
  tallyContract(() => ledger);
  lookupContract(() => ledger);
  sharesContract(newPlace);
  storageContract(newPlace);
  volumeContract(newPlace);
}
