/** How a ledger keeps its data: schema, reopening, bytes and statements. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Lease } from "../../../src/ports/ledger.ts";
import { ledgerDataSource } from "../../../src/stores/ledger/open-ledger.ts";
import {
  ALL_OPEN,
  addKeys,
  claimedJob,
  endAllStages,
  endStage,
  failKey,
  LEASE_MS,
  type LedgerPlace,
  realisticObjects,
  statementLog,
  T0,
} from "./ledger-fixtures.ts";
import { bytesUsed, repeatAsDone } from "./ledger-volume.ts";

const MAX_BYTES_PER_OBJECT = 120;
const MAX_STATEMENTS_PER_BATCH = 6;
const MAX_OPEN_MS = 5;

export function storageContract(newPlace: () => Promise<LedgerPlace>): void {
  describe("storage", () => {
    let place: LedgerPlace;
    beforeAll(async () => {
      place = await newPlace();
    });
    afterAll(() => place.dispose());

    test("several instances may open a new ledger at once", async () => {
      const ledgers = await Promise.all([1, 2, 3].map(() => place.open()));
      for (const ledger of ledgers) await ledger.ping();
    });

    test("a ledger that a newer version has changed is refused, and left as it is", async () => {
      const other = await newPlace();
      try {
        await other.open();
        const dataSource = await ledgerDataSource(other.url).initialize();
        await dataSource.query(
          "INSERT INTO tranship_migrations (timestamp, name) VALUES (1999000000001, 'Future1999000000001')",
        );
        await dataSource.destroy();
        await expect(other.open()).rejects.toMatchObject({
          code: "config_invalid",
          message: expect.stringContaining("a newer version of Tranship"),
        });
      } finally {
        await other.dispose();
      }
    });

    test("the migrations make exactly the schema that the code expects", async () => {
      await place.open();
      const dataSource = await ledgerDataSource(place.url).initialize();
      try {
        const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
        expect(upQueries.map((query) => query.query)).toEqual([]);
        await dataSource.query("ALTER TABLE tranship_jobs ADD COLUMN stray INTEGER");
        expect((await dataSource.driver.createSchemaBuilder().log()).upQueries).not.toEqual([]);
        await dataSource.query("ALTER TABLE tranship_jobs DROP COLUMN stray");
      } finally {
        await dataSource.destroy();
      }
    });

    test("a migration that was cut off before it was recorded is repeated", async () => {
      const other = await newPlace();
      try {
        await (await other.open()).close();
        const dataSource = await ledgerDataSource(other.url).initialize();
        const last = dataSource.migrations.at(-1)?.name;
        await dataSource.query("DELETE FROM tranship_migrations WHERE name = ?", [last]);
        await dataSource.destroy();
        await (await other.open()).ping();
      } finally {
        await other.dispose();
      }
    });

    test("a ledger that is opened again has everything", async () => {
      const first = await place.open();
      const lease = await claimedJob(first);
      const batch = await addKeys(first, lease, "a", "b");
      failKey(batch, "a");
      await endStage(first, lease, batch, "copy");
      const job = await first.job(lease.jobId);
      await first.close();
      const again = await place.open();
      expect(await again.job(lease.jobId)).toEqual(job);
      expect(await again.openBatches({ jobId: lease.jobId, ...ALL_OPEN })).toEqual([batch]);
      const next = await again.claim(lease.jobId, "runner-2", T0 + LEASE_MS, LEASE_MS);
      expect(await addKeys(again, next as Lease, "c")).toMatchObject({ seq: 2 });
    });

    test("a batch planned from before one that was recorded after all is refused, and the next is not", async () => {
      const [one, two] = await Promise.all([place.open(), place.open()]);
      const lease = await claimedJob(one);
      // Recorded, though the caller of the other connection got an error.
      await addKeys(two, lease, "a", "b");
      const cutOtherwise = addKeys(one, lease, "a");
      await expect(cutOtherwise).rejects.toMatchObject({ code: "ledger_unavailable" });
      expect(await one.lastCursor(lease.jobId)).toBe("b");
      expect(await addKeys(one, lease, "c")).toMatchObject({ seq: 2 });
    });

    test("two instances see and fence each other", async () => {
      const [one, two] = await Promise.all([place.open(), place.open()]);
      const lease = await claimedJob(one);
      expect(await two.claim(lease.jobId, "other", T0, LEASE_MS)).toBeNull();
      expect(await two.claim(lease.jobId, "other", T0 + LEASE_MS, LEASE_MS)).not.toBeNull();
      await expect(addKeys(one, lease, "a")).rejects.toMatchObject({ code: "lease_lost" });
    });

    test("a thousand objects cost at most six statements", async () => {
      const { logger, statements } = statementLog();
      const ledger = await place.open({ logger });
      const lease = await claimedJob(ledger);
      const carry = async (from: number) => {
        statements.length = 0;
        const batch = await ledger.addBatch(
          lease,
          { objects: realisticObjects(from, 1_000), cursor: "" },
          T0,
        );
        await endAllStages(ledger, lease, batch);
        return statements.length;
      };
      const [first, next] = [await carry(0), await carry(1_000)];
      console.log(`ledger statements for 1,000 objects: first ${first}, then ${next}`);
      expect(first).toBeLessThanOrEqual(MAX_STATEMENTS_PER_BATCH);
      expect(next).toBeLessThanOrEqual(MAX_STATEMENTS_PER_BATCH - 1);
    });

    test("an exception costs statements in its own stage only", async () => {
      const { logger, statements } = statementLog();
      const ledger = await place.open({ logger });
      const lease = await claimedJob(ledger);
      await addKeys(ledger, lease, "a", "b");
      const [batch] = await ledger.openBatches({ jobId: lease.jobId, ...ALL_OPEN });
      const costs: number[] = [];
      for (const stage of ["copy", "verify", "update", "delete"] as const) {
        statements.length = 0;
        if (stage === "verify") failKey(batch!, "a");
        await endStage(ledger, lease, batch!, stage);
        costs.push(statements.length);
      }
      expect(costs).toEqual([1, 4, 1, 1]);
    });

    test("a batch that was read from the ledger is not written as a whole again", async () => {
      const { logger, statements } = statementLog();
      const ledger = await place.open({ logger });
      const lease = await claimedJob(ledger);
      await addKeys(ledger, lease, "a", "b");
      const [batch] = await ledger.openBatches({ jobId: lease.jobId, ...ALL_OPEN });
      const writesObjects = async (stage: "copy" | "verify") => {
        statements.length = 0;
        await endStage(ledger, lease, batch!, stage);
        return statements.some((statement) => /UPDATE tranship_batches .*\bobjects = /s.test(statement));
      };
      expect(await writesObjects("copy")).toBe(false);
      // Unless an object is not what it was.
      batch!.objects[0]!.etag = "newer";
      expect(await writesObjects("verify")).toBe(true);
    });
  });

  describe("a hundred thousand objects", () => {
    let place: LedgerPlace;
    beforeAll(async () => {
      place = await newPlace();
    });
    afterAll(() => place.dispose());

    test("take at most 120 bytes each when they are moved", async () => {
      const ledger = await place.open();
      const lease = await claimedJob(ledger);
      const count = 100_000;
      for (let from = 0; from < count; from += 1_000) {
        const batch = await ledger.addBatch(
          lease,
          { objects: realisticObjects(from, 1_000), cursor: `image/${from}` },
          T0,
        );
        await endAllStages(ledger, lease, batch);
      }
      await ledger.close();
      const each = (await bytesUsed(place.url)) / count;
      console.log(`ledger bytes for an object, all stages done: ${each.toFixed(1)}`);
      expect(each).toBeLessThanOrEqual(MAX_BYTES_PER_OBJECT);
    });
  });

  test("what is open is found at once, however much is done", async () => {
    const place = await newPlace();
    try {
      const ledger = await place.open();
      const lease = await claimedJob(ledger);
      const { jobId } = lease;
      const open = await addKeys(ledger, lease, "a");
      const due = await addKeys(ledger, lease, "b");
      for (const stage of ["copy", "verify", "update"] as const) {
        await endStage(ledger, lease, due, stage);
      }
      await repeatAsDone(place.url, open, 50_000);
      const times: number[] = [];
      for (let round = 0; round < 9; round += 1) {
        const begun = performance.now();
        const batches = await ledger.openBatches({ jobId, ...ALL_OPEN });
        times.push(performance.now() - begun);
        expect(batches).toEqual([open, due]);
      }
      // The quickest: other work on the machine only ever adds. Walking over all batches takes 150 ms and more.
      const quickest = Math.min(...times);
      console.log(`ledger, two open batches beside 50,000 done ones: ${quickest.toFixed(2)} ms`);
      expect(quickest).toBeLessThan(MAX_OPEN_MS);
    } finally {
      await place.dispose();
    }
  });
}
