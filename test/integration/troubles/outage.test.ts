/** A store or ledger that is away for a while holds a job and shows why; it fails nothing. */

import { describe, expect, it } from "vitest";
import { DomainError } from "../../../src/domain/errors.ts";
import type { Ledger } from "../../../src/ports/ledger.ts";
import { bench, benchForEach } from "../../support/worlds/bench-for-each.ts";
import { imageKeys } from "../../support/worlds/workbench.ts";

benchForEach({ objects: imageKeys(60), rows: imageKeys(60) });

const after = imageKeys(60).map((key) => key.replace("image/", "avatar/"));

function expectMoved(): void {
  expect(bench.store.listKeys("bucket-a")).toEqual([]);
  expect(bench.store.listKeys("bucket-b")).toEqual(after);
  expect(bench.paths()).toEqual(after);
}

/** Makes `method` of the ledger throw as if the answer had been lost: `times` times, after doing its work. */
function loseAnswers(ledger: Ledger, method: "addBatch" | "recordStage", times: number): void {
  const real = ledger[method].bind(ledger) as (...args: unknown[]) => Promise<unknown>;
  let left = times;
  const lossy = async (...args: unknown[]): Promise<unknown> => {
    const result = await real(...args);
    if (left === 0) return result;
    left -= 1;
    throw new DomainError("ledger_unavailable", "the answer was lost");
  };
  Object.assign(ledger, { [method]: lossy });
}

describe("an outage", () => {
  it.each(["addBatch", "recordStage"] as const)(
    "of the ledger just after %s neither loses a batch nor counts it twice",
    async (method) => {
      loseAnswers(bench.ledger, method, 2);
      const job = await bench.move({ batchSize: 20 });
      expect(job).toMatchObject({
        state: "completed",
        objects: { planned: 60, moved: 60 },
        rows: { updated: 60 },
      });
      expectMoved();
    },
  );

  it("of the source's listing in mid-plan is waited out", async () => {
    const id = await bench.submit({ inventory: { from: "bucket" }, batchSize: 20 });
    bench.store.faults.add({
      operation: "ListObjectsV2",
      bucket: "bucket-a",
      times: 3,
      effect: { type: "internal-error" },
    });
    expect(await bench.work(id)).toMatchObject({ state: "completed", objects: { moved: 60 } });
    expectMoved();
  });
});
