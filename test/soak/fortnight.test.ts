/**
 * A simulated fortnight, 19 October to 2 November 2026. Real: the service, its pacing, windows and guards, the ledger.
 * Simulated: time, the buckets, the tables, and what the database says of its health.
 *
 * No zone changes its clocks twice within two weeks, so two jobs run in one process: 5,000,000 objects by Berlin's nights
 * (clocks are put back on 25 October, and the window of that night opens twice) and 80,000 by New York's (put back on
 * 1 November, likewise). The rules themselves are tables in test/unit/domain, the edges of windows in test/integration.
 */

import { afterAll, beforeAll, describe } from "vitest";
import { expectFortnight } from "../support/expect-fortnight.ts";
import { type Fortnight, liveThroughFortnight } from "../support/worlds/fortnight.ts";

describe("over a fortnight of 5,000,000 objects", () => {
  let fortnight: Fortnight;
  beforeAll(async () => {
    fortnight = await liveThroughFortnight(30);
  }, 3_600_000);
  afterAll(() => fortnight.close());
  expectFortnight(() => fortnight);
});
