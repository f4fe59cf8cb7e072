/** What every ledger must tell of a job's exceptions as a whole. */

import { describe, expect, test } from "vitest";
import { type ExceptionCode, fail } from "../../../src/domain/batch.ts";
import type { Ledger } from "../../../src/ports/ledger.ts";
import { addKeys, claimedJob, endStage, REPORT, T0 } from "./ledger-fixtures.ts";

const END = { state: "paused", reason: null, waiting: null, report: REPORT } as const;

export function exceptionsContract(ledgerOf: () => Ledger): void {
  describe("the most frequent exceptions", () => {
    /** Ends the copy of a batch whose objects fail with `codes`, at `endedAt`. */
    async function failing(jobOf: Awaited<ReturnType<typeof claimedJob>>, codes: string, endedAt: number) {
      const ledger = ledgerOf();
      const all = codes.split(" ") as ExceptionCode[];
      const batch = await addKeys(ledger, jobOf, ...all.map((code, at) => `${endedAt} ${at} ${code}`));
      for (const [at, object] of batch.objects.entries()) fail(object, all[at]!, "no");
      await endStage(ledger, jobOf, batch, "copy", { endedAt });
    }

    test("come first, by their codes, as many as are asked for, of this job and of that time", async () => {
      const ledger = ledgerOf();
      const lease = await claimedJob(ledger);
      await failing(await claimedJob(ledger), "key_invalid key_invalid key_invalid", T0 + 20);
      await failing(lease, "copy_refused copy_refused copy_refused", T0 + 10);
      await failing(lease, "target_exists access_denied copy_refused target_exists", T0 + 20);
      await failing(lease, "target_exists key_too_long access_denied", T0 + 30);
      expect(await ledger.topExceptions(lease.jobId, T0 + 20, 3)).toEqual([
        { code: "target_exists", count: 3 },
        { code: "access_denied", count: 2 },
        { code: "copy_refused", count: 1 },
      ]);
      expect(await ledger.topExceptions(lease.jobId, 0, 1)).toEqual([{ code: "copy_refused", count: 4 }]);
      expect(await ledger.topExceptions(lease.jobId, T0 + 31, 3)).toEqual([]);
    });

    test("are those that still stand", async () => {
      const ledger = ledgerOf();
      const lease = await claimedJob(ledger);
      await failing(lease, "copy_refused target_exists", T0 + 10);
      await ledger.release(lease, END, T0 + 20);
      expect(await ledger.replanExceptions(lease.jobId, 10, T0 + 30)).toBe(2);
      expect(await ledger.topExceptions(lease.jobId, 0, 3)).toEqual([]);
    });
  });
}
