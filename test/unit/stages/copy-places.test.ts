/** A copy's place is for all requests about its object: no more of them are under way than there are places. */

import { expect, it } from "vitest";
import type { Batch } from "../../../src/domain/batch.ts";
import { limitConcurrency } from "../../../src/pacing/concurrency.ts";
import type { CopyRequest } from "../../../src/ports/object-store.ts";
import { copyBatch } from "../../../src/stages/copy.ts";
import type { StageContext } from "../../../src/stages/stage-context.ts";

/** Copies ten objects to a store that gives the copies the ETag `copied`; the most requests about them at once. */
async function copyTen(copied: string) {
  let underWay = 0;
  let most = 0;
  let looks = 0;
  const inTurns = async (turns: number) => {
    underWay += 1;
    most = Math.max(most, underWay);
    for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    underWay -= 1;
  };
  const source = {
    async copy({ onAnswered }: CopyRequest) {
      await inTurns(1);
      onAnswered?.(copied);
      return { kind: "copied", etag: copied };
    },
    async list() {
      return { objects: [], more: false };
    },
    async head({ key }: { readonly key: string }) {
      looks += 1;
      await inTurns(5);
      return { key, size: 1, etag: "e", storageClass: null, modifiedAt: 0 };
    },
  };
  const context = {
    spec: {
      source: { bucket: "a", prefix: "image/" },
      target: { bucket: "b", prefix: "avatar/" },
      onConflict: "fail",
    },
    source,
    target: source,
    concurrency: limitConcurrency(2),
    signal: new AbortController().signal,
    onCopied: () => {},
  } as unknown as StageContext;
  const objects = Array.from({ length: 10 }, (_, at) => ({
    ...{ key: `image/${at}`, size: 1, etag: "e", storageClass: null, rows: [], targetEtag: null },
    outcome: { kind: "pending" },
  }));
  await copyBatch(context, { objects } as unknown as Batch, false);
  return { most, looks };
}

it("keeps its place while it looks whether an ETag that did not stay means that the source has changed", async () => {
  expect(await copyTen("e")).toEqual({ most: 2, looks: 0 });
  expect(await copyTen("encrypted")).toEqual({ most: 2, looks: 10 });
});
