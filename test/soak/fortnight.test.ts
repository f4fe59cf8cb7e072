/** The fortnight of test/integration/fortnight.test.ts with 5,000,000 objects in nights ten times as long. */

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
