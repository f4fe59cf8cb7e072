/** Whose object stands at the new key? Only what our own copy alone can have proves it ours; an equal size proves nothing. */

import { describe, expect, it } from "vitest";
import type { StageOutcome } from "../../../src/ports/ledger.ts";
import { bodyOf, moved, sumsAgree, untilState, workWith } from "../../support/bystander.ts";
import { crashingLedger } from "../../support/crashing-ledger.ts";
import { bench, benchForEach, clock } from "../../support/worlds/bench-for-each.ts";
import { imageKeys } from "../../support/worlds/workbench.ts";

const KEYS = imageKeys(12);
const TAKEN = KEYS.slice(3, 7);
const FREE = KEYS.filter((key) => !TAKEN.includes(key));
const LEASE_OVER = 11_000;

/** Other bytes of the same number. */
const foreignBody = (key: string): string => `BODY of ${key}`;

benchForEach({ objects: KEYS, rows: KEYS });

function occupy(): void {
  for (const key of TAKEN) bench.store.putObject("bucket-b", moved(key), foreignBody(key));
}

async function expectForeignKept(id: string): Promise<void> {
  expect(await bench.exceptions(id)).toEqual(Object.fromEntries(TAKEN.map((key) => [key, "target_exists"])));
  const job = await bench.jobs.get(id);
  expect(job).toMatchObject({ state: "completed_with_exceptions", objects: { moved: 8, exceptions: 4 } });
  expect(sumsAgree(job)).toBe(true);
  expect(bench.store.listKeys("bucket-a")).toEqual(TAKEN);
  for (const key of TAKEN) {
    expect(bodyOf(bench, "bucket-b", moved(key))).toBe(foreignBody(key));
    expect(bodyOf(bench, "bucket-a", key)).toBe(`body of ${key}`);
  }
  for (const key of FREE) expect(bodyOf(bench, "bucket-b", moved(key))).toBe(`body of ${key}`);
  expect(bench.paths()).toEqual(KEYS.map((key) => (TAKEN.includes(key) ? key : moved(key))));
}

const ofCopy = (args: readonly unknown[]) => (args[1] as StageOutcome).stage === "copy";

describe.each(["size", "etag", "checksum"])(
  "foreign objects of equal size at the new keys (verify %s)",
  (verify) => {
    it("are not taken for copies of a process that was killed while copying", async () => {
      occupy();
      const id = await bench.submit({ verify });
      const crash = crashingLedger(bench.ledger, { method: "recordStage", moment: "before", when: ofCopy });
      await workWith(bench, { ledger: crash.ledger }, id);
      expect(crash.crashed).toBe(true);
      clock.advance(LEASE_OVER);
      await bench.work(id);
      await expectForeignKept(id);
    });

    it("are not taken for own copies when the copying is repeated after an outage of the store", async () => {
      const hold = bench.store.faults.hold({ operation: "CopyObject", sourceKey: KEYS[11] as string });
      const run = bench.move({ verify, batchSize: 12, limits: { concurrency: 1 } });
      await hold.arrival();
      // The look of this attempt has not seen them; of the copies made by now it is not known whose they are.
      for (const key of TAKEN) bench.store.putObject("bucket-b", moved(key), foreignBody(key));
      const away = bench.store.faults.add({ effect: { type: "internal-error" } });
      hold.release();
      clock.advance(60_000);
      await new Promise((resolve) => setTimeout(resolve, 300));
      away.remove();
      clock.advance(60_000);
      const { id } = await run;
      expect(Object.keys(await bench.exceptions(id)).sort()).toEqual(TAKEN);
      for (const key of TAKEN) {
        expect(bodyOf(bench, "bucket-a", key)).toBe(`body of ${key}`);
        expect(bodyOf(bench, "bucket-b", moved(key))).toBe(foreignBody(key));
      }
    });

    it("are not taken for own copies when they replace them between copying and verifying", async () => {
      const last = { operation: "CopyObject", sourceKey: KEYS[11] as string, held: "after" } as const;
      const occupy = () => {
        for (const key of TAKEN) bench.store.putObject("bucket-b", moved(key), foreignBody(key));
      };
      const { id } = await bench.moveWhile(last, occupy, { verify });
      expect(Object.keys(await bench.exceptions(id)).sort()).toEqual(TAKEN);
      for (const key of TAKEN) expect(bodyOf(bench, "bucket-a", key)).toBe(`body of ${key}`);
    });
  },
);

describe("own copies", () => {
  it.each(["size", "etag"])(
    "of a killed process are still recognised by their ETags (verify %s)",
    async (verify) => {
      const id = await bench.submit({ verify });
      const crash = crashingLedger(bench.ledger, { method: "recordStage", moment: "before", when: ofCopy });
      await workWith(bench, { ledger: crash.ledger }, id);
      clock.advance(LEASE_OVER);
      expect(await bench.work(id)).toMatchObject({ state: "completed", objects: { moved: 12 } });
      expect(bench.store.listKeys("bucket-a")).toEqual([]);
    },
  );
});

describe("another's identical object that was taken for the copy (skip-identical)", () => {
  it("is not replaced when the source changes afterwards and the job is retried", async () => {
    const [key] = KEYS as [string];
    bench.store.putObject("bucket-b", moved(key), `body of ${key}`, { metadata: { owner: "another" } });
    const id = await bench.submit({
      onConflict: "skip-identical",
      delete: { when: "verified", after: "1h" },
    });
    const run = bench.work(id);
    await untilState(bench, id, "waiting");
    bench.store.putObject("bucket-a", key, "newer");
    clock.advance(3_600_000);
    await run;
    expect(await bench.exceptions(id)).toEqual({ [key]: "source_changed" });
    const again = bench.retry(id);
    await untilState(bench, id, "waiting");
    clock.advance(3_600_000);
    await again;
    expect(await bench.exceptions(id)).toEqual({ [key]: "target_exists" });
    expect(bench.store.getObject("bucket-b", moved(key))?.metadata).toEqual({ owner: "another" });
    expect(bodyOf(bench, "bucket-a", key)).toBe("newer");
  });
});
