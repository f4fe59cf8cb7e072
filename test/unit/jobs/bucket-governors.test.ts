/** What jobs share: governors of buckets, and a rate limit with the preflight before them. */

import { describe, expect, it } from "vitest";
import { BucketGovernors } from "../../../src/jobs/run/bucket-governors.ts";

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

describe("the rate limit of a job", () => {
  it("goes on from the preflight of its submission, at its own limit", () => {
    const governors = new BucketGovernors();
    governors.preflightRateLimit("a to b", 20, NOW).dispatch.take(7, NOW);
    expect(governors.preflightRateLimit("a to b", 20, NOW).capacityAt(NOW)).toBe(13);
    const rateLimit = governors.jobRateLimit("a to b", 20, NOW + 100);
    expect(rateLimit.capacityAt(NOW + 100)).toBe(13);
    expect(rateLimit.capacityAt(NOW + 1100)).toBe(20);
    expect(governors.jobRateLimit("b to c", 20, NOW).capacityAt(NOW)).toBe(20);
  });

  it("goes on from the last preflight, which may have had another limit than those before", () => {
    const governors = new BucketGovernors();
    governors.preflightRateLimit("a to b", 1000, NOW);
    expect(governors.preflightRateLimit("a to b", 20, NOW).perSecond).toBe(20);
    expect(governors.preflightRateLimit("a to b", null, NOW).perSecond).toBeNull();
  });

  it("is not that of a later preflight, whose limit may be another", () => {
    const governors = new BucketGovernors();
    governors.preflightRateLimit("a to b", 10, NOW);
    const rateLimit = governors.jobRateLimit("a to b", 1, NOW);
    expect(rateLimit.perSecond).toBe(1);
    expect(governors.preflightRateLimit("a to b", 10, NOW)).not.toBe(rateLimit);
    expect(governors.jobRateLimit("a to b", 1, NOW)).not.toBe(rateLimit);
    expect(rateLimit.perSecond).toBe(1);
  });
});
