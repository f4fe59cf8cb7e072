/** A job whose engine is not here (any more) is not copied by another one: it pauses with the reason. */

import { afterEach, beforeEach, expect, it } from "vitest";
import { AVATARS } from "../support/job-spec.ts";
import { imageKeys, openFilledWorkbench, type Workbench } from "../support/worlds/workbench.ts";

const KEYS = imageKeys(5);
let bench: Workbench;
beforeEach(async () => {
  bench = await openFilledWorkbench(KEYS);
});
afterEach(() => bench.close());

it("pauses, and every object stays where it was", async () => {
  const { job } = await bench.ledger.createJob({
    spec: { ...AVATARS, engine: "lambda", lambda: { updates: "service" } },
    ...{ idempotencyKey: null, actor: "another version", at: Date.now() },
  });
  const end = await bench.work(job.id);
  expect(end).toMatchObject({ state: "paused", requests: { copy: 0 } });
  expect(end.reason).toMatch(/^\/engine: the engine "lambda" is not available here.*resume the job\.$/);
  expect(bench.store.listKeys("bucket-a")).toEqual(KEYS);
  expect(bench.store.listKeys("bucket-b")).toEqual([]);
});
