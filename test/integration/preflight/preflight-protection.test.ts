/** Preflight says what guards others' objects on this store, and finds it out with a canary. */

import { afterEach, describe, expect, it } from "vitest";
import { fillStore, imageKeys, openWorkbench, type Workbench } from "../../support/worlds/workbench.ts";

const KEYS = imageKeys(3);
const JOB = {
  source: { bucket: "bucket-a", prefix: "image/" },
  target: { bucket: "bucket-b", prefix: "avatar/" },
};

let bench: Workbench;
afterEach(() => bench.close());

async function look(keepsConditions: boolean, canary: boolean, more: Record<string, unknown> = {}) {
  bench = await openWorkbench({ store: { keepsConditions } });
  fillStore(bench.store, "bucket-a", KEYS);
  if (more.versioned === true) bench.store.setVersioning("bucket-a", "Enabled");
  const { versioned: _, ...job } = more;
  const report = await bench.jobs.preflight({ ...JOB, ...job }, { canary });
  expect(report.ok).toBe(true);
  return { problems: report.problems.filter(({ code }) => /guarded/.test(code)), ...report.protection };
}

describe("of a store other than AWS", () => {
  it("nothing is claimed without a canary", async () => {
    expect(await look(true, false)).toEqual({
      ...{ problems: [], copies: "unknown", deletions: "unknown", copyGapMs: null },
    });
  });

  it("nothing is to be said where a canary shows that it keeps to conditions", async () => {
    expect(await look(true, true)).toMatchObject({ problems: [], copies: "store", deletions: "store" });
    expect(bench.store.listKeys("bucket-a")).toEqual(KEYS);
    expect(bench.store.listKeys("bucket-b")).toEqual([]);
  });

  it("a canary shows that it ignores them: the gap is told in milliseconds, and versioning recommended", async () => {
    const { problems, ...seen } = await look(false, true);
    expect(seen).toMatchObject({ copies: "look", deletions: "look", copyGapMs: expect.any(Number) });
    expect(problems.map(({ code, severity }) => [code, severity])).toEqual([
      ["copies_guarded_by_looks", "warning"],
      ["deletions_guarded_by_looks", "warning"],
    ]);
    expect(problems[0]?.message).toMatch(/\(\d+ ms here\)/);
    expect(problems[1]?.message).toMatch(/50 ms at the median.*enable versioning/);
    expect(bench.store.listKeys("bucket-a")).toEqual(KEYS);
    expect(bench.store.listKeys("bucket-b")).toEqual([]);
  });

  it("versioning is not recommended where it is on", async () => {
    const { problems } = await look(false, true, { versioned: true });
    expect(problems[1]?.message).toMatch(/versioning of the source bucket is enabled/);
  });

  it("what the job does not do needs no guard", async () => {
    const job = { onConflict: "overwrite", delete: { when: "never" } };
    expect((await look(false, true, job)).problems).toEqual([]);
  });
});
