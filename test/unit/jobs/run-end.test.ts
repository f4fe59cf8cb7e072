/** In which state a run leaves its job, by what ended it. */

import { expect, it } from "vitest";
import { DomainError, type ErrorCode } from "../../../src/domain/errors.ts";
import { failureEnd } from "../../../src/jobs/run/run-end.ts";

it.each<[ErrorCode, string]>([
  ["store_refused", "paused"],
  ["store_denied", "paused"],
  ["store_credentials", "paused"],
  ["bucket_missing", "paused"],
  ["database_refused", "paused"],
  ["manifest_invalid", "paused"],
  ["config_invalid", "paused"],
  ["internal", "failed"],
])("%s leaves it %s, with the reason", (code, state) => {
  const { state: left, reason } = failureEnd(new DomainError(code, "what happened"));
  expect(left).toBe(state);
  expect(reason).toMatch(/^what happened/);
  if (state === "paused") expect(reason).toMatch(/resume the job\.$/);
});

it("an error that is not ours leaves it failed", () => {
  expect(failureEnd(new TypeError("x is undefined"))).toEqual({
    state: "failed",
    reason: "unexpected: x is undefined",
  });
});
