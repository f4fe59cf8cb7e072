/** A clock that is set back must not make the governor ignore rejections. */

import { expect, it } from "vitest";
import { BucketGovernor } from "../../../src/pacing/rates/bucket-governor.ts";

it("lowers its rate on rejections after the clock was set back by an hour", () => {
  const governor = new BucketGovernor();
  const reject = (from: number, seconds: number) => {
    for (let now = from; now < from + seconds * 1000; now += 10) {
      if (governor.waitMs(1, now) > 0) continue;
      governor.take(1, now);
      governor.throttled(now, now + 5);
    }
  };
  const start = 10_000_000;
  for (let now = start; now < start + 500; now += 1) {
    if (governor.waitMs(1, now) > 0) continue;
    governor.take(1, now);
    governor.succeeded(1, now, now);
  }
  reject(start + 500, 2);
  const setBack = start - 3_600_000;
  for (let now = setBack; now < setBack + 3_000; now += 1) {
    if (governor.waitMs(1, now) > 0) continue;
    governor.take(1, now);
    governor.succeeded(1, now, now);
  }
  reject(setBack + 3_000, 3);
  // With nothing accepted it falls to almost nothing, whatever the clock showed before.
  expect(governor.perSecond).toBeLessThan(10);
});
