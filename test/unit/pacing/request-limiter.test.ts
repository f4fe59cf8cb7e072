/** A request whose limits allow it at once overtakes none that waits for the same limits. */

import { expect, it } from "vitest";
import { RateLimit } from "../../../src/domain/rates/rate-limit.ts";
import { BucketGovernor } from "../../../src/pacing/rates/bucket-governor.ts";
import { FairQueue } from "../../../src/pacing/rates/fair-queue.ts";
import { READ_COST } from "../../../src/pacing/rates/request-cost.ts";
import { RequestLimiter } from "../../../src/pacing/rates/request-limiter.ts";
import { VirtualClock } from "../../support/clocks/virtual-clock.ts";

/** A limiter of ten requests a second, on a clock that sleeping does not move. */
function gateOfTen() {
  const clock = new VirtualClock();
  const governor = new BucketGovernor();
  const gate = new RequestLimiter({
    clock,
    fairQueue: new FairQueue(clock),
    requestLimits: [new RateLimit(10)],
    byteLimits: [],
    governorOf: () => governor,
  });
  return { clock, gate };
}

it("acquires nothing at once while another request waits, though the limit allows it again", () => {
  const { clock, gate } = gateOfTen();
  while (gate.tryAcquire(READ_COST, undefined)) clock.at += 1;
  void gate.acquire(READ_COST, undefined);
  clock.at += 2000;
  expect(gate.tryAcquire(READ_COST, undefined)).toBe(false);
});

it("acquires at once where the limit allows it and nothing waits", () => {
  const { clock, gate } = gateOfTen();
  while (gate.tryAcquire(READ_COST, undefined)) clock.at += 1;
  clock.at += 2000;
  expect(gate.tryAcquire(READ_COST, undefined)).toBe(true);
});

it("takes nothing for a job that is asked to stop", () => {
  const { gate } = gateOfTen();
  expect(gate.tryAcquire(READ_COST, AbortSignal.abort())).toBe(false);
  expect(gate.tryAcquire(READ_COST, undefined)).toBe(true);
});
