/** A process that was stopped in the middle of a transaction on the ledger must not keep its job from others. */

import { afterEach, beforeEach, expect, inject, it } from "vitest";
import { ledgerDataSource } from "../../../src/stores/ledger/open-ledger.ts";
import {
  LEASE_MS,
  type LedgerPlace,
  mariadbPlace,
  submit,
  T0,
} from "../../contract/ledger/ledger-fixtures.ts";

let place: LedgerPlace;
beforeEach(async () => {
  place = await mariadbPlace(inject("mariadbUrl"));
});
afterEach(() => place.dispose());

it("locks that it left are given up within seconds, and nothing of its transaction stays", async () => {
  const ledger = await place.open();
  const { job } = await submit(ledger);
  const stopped = await ledgerDataSource(place.url).initialize();
  const runner = stopped.createQueryRunner();
  await runner.startTransaction();
  await runner.query("UPDATE tranship_jobs SET lease_owner = 'stopped', lease_until = ? WHERE id = ?", [
    T0 + 1_000_000,
    job.id,
  ]);
  const begun = Date.now();
  expect(await ledger.claim(job.id, "another", T0, LEASE_MS)).toMatchObject({ owner: "another", token: 1 });
  expect(Date.now() - begun).toBeLessThan(5_000);
  await expect(runner.commitTransaction()).rejects.toThrow();
  expect(await ledger.job(job.id)).toMatchObject({ leaseOwner: "another", leaseUntil: T0 + LEASE_MS });
  await runner.release().catch(() => undefined);
  await stopped.destroy();
});
