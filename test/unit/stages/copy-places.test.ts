/** The concurrency limit covers all requests about an object that is copied. */

import { expect, it } from "vitest";
import { Relocation } from "../../../src/domain/relocation.ts";
import { ServiceEngine } from "../../../src/engines/service-engine.ts";
import { limitConcurrency } from "../../../src/pacing/concurrency.ts";
import type { RateLimitedStore } from "../../../src/pacing/rate-limited-store.ts";
import type { CopyRequest } from "../../../src/ports/object-store.ts";
import { copyBatch } from "../../../src/stages/copy.ts";
import type { CopyContext } from "../../../src/stages/stage-contexts.ts";
import { batchObject, plannedBatch } from "../../support/batches.ts";
import { VirtualClock } from "../../support/clocks/virtual-clock.ts";
import { AVATARS } from "../../support/job-spec.ts";
import { only } from "../../support/only.ts";

const NOTHING_MORE = {
  needsRestore: false,
  contentType: null,
  encryption: null,
  metadata: {},
  tagCount: 0,
  checksums: [],
};

/** Copies ten objects to a store that gives the copies the ETag `copied`; the most requests about them at once. */
async function copyTen(copied: string) {
  let underWay = 0;
  let most = 0;
  let looks = 0;
  const clock = new VirtualClock();
  const taking = async (ms: number) => {
    underWay += 1;
    most = Math.max(most, underWay);
    await clock.sleep(ms);
    underWay -= 1;
  };
  const source: Partial<RateLimitedStore> = {
    async copy({ onAnswered }: CopyRequest) {
      await taking(10);
      onAnswered?.(copied);
      return { kind: "copied", etag: copied };
    },
    async list() {
      return { objects: [], more: false };
    },
    async head({ key }: { readonly key: string }) {
      looks += 1;
      await taking(50);
      return { ...NOTHING_MORE, key, size: 1, etag: "e", storageClass: null, modifiedAt: 0 };
    },
  };
  const store = only<RateLimitedStore>(source);
  const concurrency = limitConcurrency(2);
  const context = only<CopyContext>({
    spec: AVATARS,
    relocation: new Relocation(AVATARS),
    source: store,
    target: store,
    engine: new ServiceEngine(store, concurrency),
    concurrency,
    signal: new AbortController().signal,
    onCopied: () => {},
  });
  const objects = Array.from({ length: 10 }, (_, at) => batchObject(`image/${at}`));
  await clock.run(copyBatch(context, plannedBatch(objects), false));
  return { most, looks };
}

it("keeps its place while it looks whether an ETag that did not stay means that the source has changed", async () => {
  expect(await copyTen("e")).toEqual({ most: 2, looks: 0 });
  expect(await copyTen("encrypted")).toEqual({ most: 2, looks: 10 });
});
