/** What each error of a store means to a task. */

import { expect, it } from "vitest";
import { copyFailure } from "../../../src/lambda/copy-failure.ts";
import { fault } from "./lambda-fakes.ts";

const outcome = (kind: string, code?: string) => ({
  kind: "outcome",
  outcome: code === undefined ? { kind } : { kind, code, message: expect.any(String) },
});
const REPEAT = { kind: "repeat" };
const TEMPORARY = { kind: "temporary" };

it.each<[code: string, status: number | null, onlyIfAbsent: object, replacing?: object]>([
  ["SlowDown", 503, REPEAT],
  ["InternalError", 500, REPEAT],
  ["InternalError", 200, REPEAT],
  ["HTTP 502", 502, REPEAT],
  ["HTTP 504", 504, REPEAT],
  ["HTTP 429", 429, REPEAT],
  ["RequestTimeout", 400, REPEAT],
  ["Timeout", null, TEMPORARY],
  ["ConditionalRequestConflict", 409, REPEAT],
  ["OperationAborted", 409, REPEAT],
  ["AnyConflict", 409, REPEAT],
  ["PreconditionFailed", 412, { kind: "look" }],
  // `If-Match` of a target that is gone is answered with the same code.
  ["NoSuchKey", 404, outcome("source_gone"), outcome("precondition_failed")],
  ["NotFound", 404, outcome("precondition_failed")],
  ["HTTP 404", 404, outcome("precondition_failed")],
  ["NoSuchBucket", 404, TEMPORARY],
  ["InvalidObjectState", 403, outcome("failed", "needs_restore")],
  ["AccessDenied", 403, outcome("failed", "access_denied")],
  ["HTTP 403", 403, outcome("failed", "access_denied")],
  ["InvalidRequest", 400, outcome("failed", "copy_refused")],
  ["KMS.DisabledException", 400, outcome("failed", "copy_refused")],
  ["NotImplemented", 501, outcome("failed", "copy_refused")],
  ["KeyTooLongError", 400, outcome("failed", "key_too_long")],
  ["ExpiredToken", 400, TEMPORARY],
  ["InvalidAccessKeyId", 403, TEMPORARY],
  ["SignatureDoesNotMatch", 403, TEMPORARY],
  ["CredentialsProviderError", null, TEMPORARY],
  ["PermanentRedirect", 301, TEMPORARY],
  ["TypeError", null, TEMPORARY],
])("%s with status %s", (code, status, expected, replacing = expected) => {
  expect(copyFailure(fault(code, status), false)).toEqual(expected);
  expect(copyFailure(fault(code, status), true)).toEqual(replacing);
});

it("an error that no store has given is no fault of the object's", () => {
  expect(copyFailure(new TypeError("x is not a function"), false)).toEqual(TEMPORARY);
});
