/** Copies are private: preflight names objects whose ACL says otherwise, as far as a few of them show. */

import { expect, it } from "vitest";
import { bench, benchForEach } from "../../support/worlds/bench-for-each.ts";
import { imageKeys } from "../../support/worlds/workbench.ts";

const KEYS = imageKeys(250);
const JOB = {
  source: { bucket: "bucket-a", prefix: "image/" },
  target: { bucket: "bucket-b", prefix: "avatar/" },
};

benchForEach();

function seed(isShared: (at: number) => boolean): void {
  for (const [at, key] of KEYS.entries()) {
    bench.store.putObject("bucket-a", key, key, isShared(at) ? { acl: "public-read" } : {});
  }
}

/** What preflight says of ACLs; nothing it finds here is an error. */
async function look() {
  const report = await bench.jobs.preflight(JOB, { canary: false });
  expect(report.ok).toBe(true);
  return report.problems.filter(({ code }) => code.startsWith("acl"));
}

it("objects that others may read by their ACL are named before their access is lost", async () => {
  seed((at) => at >= 9);
  const problems = await look();
  expect(problems).toMatchObject([
    { severity: "warning", code: "acl_not_kept", examples: [KEYS[9], KEYS[99]] },
  ]);
  expect(problems[0]?.message).toMatch(/^2 of 3 objects looked at/);
  expect(bench.store.requests.count("GetObjectAcl")).toBe(3);
});

it("nothing is said of private objects, nor where the store does not tell", async () => {
  seed(() => false);
  expect(await look()).toEqual([]);
  seed(() => true);
  for (const effect of [
    { type: "access-denied" },
    { type: "error", status: 501, code: "NotImplemented" },
  ] as const) {
    const fault = bench.store.faults.add({ operation: "GetObjectAcl", effect });
    expect(await look()).toEqual([]);
    expect(fault.fired).toBe(3);
    fault.remove();
  }
});
