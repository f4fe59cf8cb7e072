/** Every planned object ends in exactly one outcome, whatever mixture of troubles it meets. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { moved, sumsAgree } from "../../support/bystander.ts";
import { fillStore, imageKeys, openWorkbench } from "../../support/worlds/workbench.ts";

const TROUBLES = [
  "none",
  "none",
  "missing",
  "conflict",
  "copy_denied",
  "delete_denied",
  "row_changed",
] as const;
type Trouble = (typeof TROUBLES)[number];

const CODE: Readonly<Record<Trouble, string | null>> = {
  none: null,
  missing: "source_missing",
  conflict: "target_exists",
  copy_denied: "access_denied",
  delete_denied: "delete_denied",
  row_changed: "row_changed",
};

const LEFT_IN_SOURCE: readonly Trouble[] = ["conflict", "copy_denied", "delete_denied", "row_changed"];
const ROW_MOVES: readonly Trouble[] = ["none", "delete_denied"];

describe("the sums", () => {
  it("agree, and the job's state is right, under any mixture of troubles", async () => {
    const mixtures = fc.array(fc.constantFrom(...TROUBLES), { minLength: 1, maxLength: 25 });
    const sizes = fc.integer({ min: 3, max: 12 });
    await fc.assert(fc.asyncProperty(mixtures, sizes, checkMixture), {
      numRuns: 8,
      seed: 7,
      endOnFailure: true,
    });
  });
});

async function checkMixture(mixture: readonly Trouble[], batchSize: number): Promise<void> {
  const bench = await openWorkbench();
  try {
    const keys = imageKeys(mixture.length);
    const having = (trouble: Trouble) => keys.filter((_, i) => mixture[i] === trouble);
    fillStore(
      bench.store,
      "bucket-a",
      keys.filter((_, i) => mixture[i] !== "missing"),
    );
    bench.addRows(keys);
    for (const key of having("conflict")) bench.store.putObject("bucket-b", moved(key), "foreign");
    const denied = new Set(having("copy_denied"));
    bench.store.faults.add({
      operation: "CopyObject",
      sourceKey: (key) => denied.has(key),
      effect: { type: "access-denied" },
    });
    const kept = new Set(having("delete_denied"));
    bench.store.faults.add({
      operation: "DeleteObjects",
      key: (key) => kept.has(key),
      effect: { type: "key-error", code: "AccessDenied" },
    });
    const change = bench.app.prepare("UPDATE images SET path = 'theirs' WHERE path = ?");
    const changed = new Set(having("row_changed"));
    bench.store.faults.add({
      operation: "CopyObject",
      sourceKey: (key) => {
        if (changed.has(key)) change.run(key);
        return false;
      },
      effect: { type: "internal-error" },
    });

    const job = await bench.move({ batchSize });

    const expected = Object.fromEntries(
      keys.flatMap((key, i) => {
        const code = CODE[mixture[i] ?? "none"];
        return code === null ? [] : [[key, code]];
      }),
    );
    expect(await bench.exceptions(job.id)).toEqual(expected);
    const exceptions = Object.keys(expected).length;
    expect(job.objects).toMatchObject({ planned: keys.length, moved: keys.length - exceptions, exceptions });
    expect(sumsAgree(job)).toBe(true);
    expect(job.state).toBe(exceptions === 0 ? "completed" : "completed_with_exceptions");
    const stays = keys.filter((_, i) => LEFT_IN_SOURCE.includes(mixture[i] ?? "none"));
    expect(bench.store.listKeys("bucket-a")).toEqual(stays);
    expect(bench.paths()).toEqual(
      keys.map((key, i) => {
        const trouble = mixture[i] ?? "none";
        if (trouble === "row_changed") return "theirs";
        return ROW_MOVES.includes(trouble) ? moved(key) : key;
      }),
    );
  } finally {
    await bench.close();
  }
}
