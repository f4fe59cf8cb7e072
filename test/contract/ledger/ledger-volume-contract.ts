/** A large ledger: the room it takes, and how quickly something is found in it. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Ledger } from "../../../src/ports/ledger.ts";
import { claimedJob, type LedgerPlace, realisticObjects, statementLog, T0 } from "./ledger-fixtures.ts";
import { bytesOnDisk, fillJob } from "./ledger-volume.ts";

const MAX_BYTES_PER_OBJECT = 120;
const MAX_LOOKUP_MS = 1_000;

export function volumeContract(newPlace: () => Promise<LedgerPlace>): void {
  describe("a million objects in random order", () => {
    let place: LedgerPlace;
    let ledger: Ledger;
    let jobId: string;
    beforeAll(async () => {
      place = await newPlace();
      ledger = await place.open();
      ({ jobId } = await claimedJob(ledger));
      await fillJob(place.url, jobId);
    });
    afterAll(() => place.dispose());

    test("take at most 120 bytes on disk each", async () => {
      const each = (await bytesOnDisk(place.url)) / 1_000_000;
      console.log(`ledger bytes on disk for an object: ${each.toFixed(1)}`);
      expect(each).toBeLessThanOrEqual(MAX_BYTES_PER_OBJECT);
    });

    test("any of them is found in less than a second", async () => {
      const times: number[] = [];
      for (const n of [0, 1, 499_999, 500_000, 777_777, 999_999]) {
        const object = realisticObjects(n, 1)[0]!;
        const begun = performance.now();
        expect(await ledger.objectHistory(jobId, object.key)).toMatchObject({
          size: object.size,
          etag: object.etag,
        });
        times.push(performance.now() - begun);
        expect(await ledger.plannedBefore(jobId, [object.key], 1_001)).toEqual(new Set([object.key]));
      }
      for (const key of ["image/2024/07/no-such-key.png", "a", "image/2024/07/0000000000.png"]) {
        const begun = performance.now();
        expect(await ledger.objectHistory(jobId, key)).toBeNull();
        expect(await ledger.plannedBefore(jobId, [key], 1_001)).toEqual(new Set());
        times.push((performance.now() - begun) / 2);
      }
      const shown = times.map((time) => time.toFixed(0)).join(" ");
      console.log(`ledger look-ups among 1,000,000 objects, ms: ${shown}`);
      expect(Math.max(...times)).toBeLessThan(MAX_LOOKUP_MS);
    });

    test("a batch's keys are looked for in one walk, not in one for each", async () => {
      const { logger, statements } = statementLog();
      const logged = await place.open({ logger });
      statements.length = 0;
      const half = [0, 999_500].flatMap((from) => realisticObjects(from, 500));
      const scattered = Array.from({ length: 45 }, (_, n) => realisticObjects(5_000 + 20_000 * n, 1)[0]!);
      const held = [...scattered, ...half].map(({ key }) => key);
      const strange = Array.from({ length: 1_000 }, (_, n) => `image/2024/07/none-${n}.png`);
      const begun = performance.now();
      expect(await logged.plannedBefore(jobId, [...held, ...strange], 1_001)).toEqual(new Set(held));
      const ms = performance.now() - begun;
      // Without the last batch, which has half of them.
      const first = new Set(held.slice(0, 545));
      expect(await logged.plannedBefore(jobId, [...held, ...strange], 1_000)).toEqual(first);
      console.log(`ledger look-up of 2,045 keys at once among 1,000,000 objects: ${ms.toFixed(0)} ms`);
      // Each time five for the fingerprints of a thousand batches, and three to open those that hold a key.
      expect(statements.length).toBeLessThanOrEqual(16);
      expect(ms).toBeLessThan(MAX_LOOKUP_MS);
    });

    test("sums and the next open batches are quick as well", async () => {
      const begun = performance.now();
      expect(await ledger.tally(jobId)).toMatchObject({ planned: 1_000_000 });
      const summed = performance.now();
      const next = await ledger.openBatches({ jobId, afterSeq: 990, updatedBefore: T0, limit: 5 });
      expect(next.map((batch) => batch.seq)).toEqual([991, 992, 993, 994, 995]);
      const read = performance.now();
      console.log(
        `ledger tally ${(summed - begun).toFixed(0)} ms, 5 batches ${(read - summed).toFixed(0)} ms`,
      );
      expect(read - begun).toBeLessThan(MAX_LOOKUP_MS);
      const last = await ledger.openBatches({ jobId, afterSeq: 995, updatedBefore: T0, limit: 6 });
      expect(last.map((batch) => batch.seq)).toEqual([996, 997, 998, 999, 1_000]);
    });
  });
}
