/** What jobs share: the first second of a job is also that of the looks around before it. */

import { describe, expect, it } from "vitest";
import { BucketGovernors } from "../../src/jobs/shared-limits.ts";

const NOW = 5_000_000;

describe("the governor of a bucket", () => {
  it("is one for all jobs, and another for another bucket or store", () => {
    const governors = new BucketGovernors();
    const governor = governors.of("http://one", "images");
    expect(governors.of("http://one", "images")).toBe(governor);
    const others = [governors.of("http://one", "pictures"), governors.of("http://two", "images")];
    expect(new Set([governor, ...others]).size).toBe(3);
    expect(governors.of("http://one", "images")).toBe(governor);
  });
});

describe("the pace of a job", () => {
  it("goes on from the looks of its submission, at its own limit", () => {
    const governors = new BucketGovernors();
    governors.paceOfLooks("a to b", 20, NOW).going.take(7, NOW);
    expect(governors.paceOfLooks("a to b", 20, NOW).roomAt(NOW)).toBe(13);
    const pace = governors.paceOfJob("a to b", 20, NOW + 100);
    expect(pace.roomAt(NOW + 100)).toBe(13);
    expect(pace.roomAt(NOW + 1100)).toBe(20);
    expect(governors.paceOfJob("b to c", 20, NOW).roomAt(NOW)).toBe(20);
  });

  it("goes on from the last looks, which may have had another limit than those before", () => {
    const governors = new BucketGovernors();
    governors.paceOfLooks("a to b", 1000, NOW);
    expect(governors.paceOfLooks("a to b", 20, NOW).perSecond).toBe(20);
    expect(governors.paceOfLooks("a to b", null, NOW).perSecond).toBeNull();
  });

  it("is not that of later looks, whose limit may be another", () => {
    const governors = new BucketGovernors();
    governors.paceOfLooks("a to b", 10, NOW);
    const pace = governors.paceOfJob("a to b", 1, NOW);
    expect(pace.perSecond).toBe(1);
    expect(governors.paceOfLooks("a to b", 10, NOW)).not.toBe(pace);
    expect(governors.paceOfJob("a to b", 1, NOW)).not.toBe(pace);
    expect(pace.perSecond).toBe(1);
  });
});
