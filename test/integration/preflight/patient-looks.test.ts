/** One hiccup of a store or database while a job is taken in refuses nothing; one that lasts is named. */

import { expect, it } from "vitest";
import { DomainError } from "../../../src/domain/errors.ts";
import type { S3Operation } from "../../../src/sandbox-s3/protocol/s3-request.ts";
import { expectMoved } from "../../support/expect-moved.ts";
import { bench, benchForEach } from "../../support/worlds/bench-for-each.ts";
import { imageKeys } from "../../support/worlds/workbench.ts";

const KEYS = imageKeys(20);
const PLACES = {
  source: { bucket: "bucket-a", prefix: "image/" },
  target: { bucket: "bucket-b", prefix: "avatar/" },
};

benchForEach({ objects: KEYS, rows: KEYS });

it.each([
  ["the first listing", "ListObjectsV2", "internal-error"],
  ["the first look at a bucket", "HeadBucket", "internal-error"],
  ["a connection", "ListObjectsV2", "reset-before"],
  ["a throttled listing", "ListObjectsV2", "slow-down"],
] as const)("%s that fails once does not fail the submission", async (_, operation, type) => {
  const fault = bench.store.faults.add({ operation: operation as S3Operation, times: 1, effect: { type } });
  const id = await bench.submit();
  expect(fault.fired).toBe(1);
  expect(await bench.work(id)).toMatchObject({ state: "completed", objects: { moved: 20 } });
  await expectMoved(bench, KEYS);
});

it("nor a preflight", async () => {
  const fault = bench.store.faults.add({ times: 2, effect: { type: "internal-error" } });
  const report = await bench.jobs.preflight(PLACES, { canary: false });
  expect(fault.fired).toBe(2);
  expect(report).toMatchObject({ ok: true, objects: 20 });
});

it.each(["submission", "preflight"])(
  "a table that does not answer once does not fail the %s",
  async (what) => {
    const real = bench.parts.connections.reference;
    let asked = 0;
    Object.assign(bench.parts.connections, {
      reference: (...given: Parameters<typeof real>) => {
        const table = real(...given);
        const inspect = table.inspect.bind(table);
        return Object.assign(table, {
          inspect: async () => {
            asked += 1;
            if (asked % 2 === 1)
              throw new DomainError("database_unavailable", 'database "app": gone for a moment');
            return inspect();
          },
        });
      },
    });
    const references = [{ database: "app", table: "images", key: "id", column: "path" }];
    if (what === "submission") await bench.submit();
    else
      expect(await bench.jobs.preflight({ ...PLACES, references }, { canary: false })).toMatchObject({
        ok: true,
      });
    expect(asked).toBeGreaterThanOrEqual(what === "submission" ? 2 : 4);
  },
);

it("a store that goes on failing refuses the submission within seconds, by name", async () => {
  bench.store.faults.add({ operation: "ListObjectsV2", effect: { type: "internal-error" } });
  const begun = performance.now();
  await expect(bench.submit()).rejects.toMatchObject({
    code: "store_unavailable",
    message: expect.stringMatching(/^store "main": .*bucket-a/),
  });
  expect(performance.now() - begun).toBeLessThan(10_000);
  expect((await bench.jobs.list({ state: null, limit: 10, cursor: null })).items).toEqual([]);
});
