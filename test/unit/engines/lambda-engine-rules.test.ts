/** Rules of the engine `lambda` without I/O: which copies it takes, its arguments, its errors and its ends. */

import { describe, expect, it } from "vitest";
import { consignmentPath } from "../../../src/engines/aws/batch-operations-settings.ts";
import { objectionTo, taskField } from "../../../src/engines/aws/copy-field.ts";
import { decodeTask } from "../../../src/engines/aws/copy-task.ts";
import { engineFault, vendorCode } from "../../../src/engines/aws/engine-faults.ts";
import { howItEnded } from "../../../src/engines/aws/job-end.ts";
import { userArguments } from "../../../src/engines/aws/job-terms.ts";
import { decodeTerms } from "../../../src/engines/aws/user-arguments.ts";
import type { CopyRequest } from "../../../src/ports/object-store.ts";

const TERMS = {
  sourceBucket: "A",
  sourcePrefix: "avatar/",
  targetBucket: "B",
  targetPrefix: "new/",
  copyLogs: null,
  updates: null,
};

function request(name: string, changes: Partial<CopyRequest> & { readonly size?: number } = {}): CopyRequest {
  const { size = 1, ...others } = changes;
  return {
    source: { bucket: "A", key: `avatar/${name}`, etag: "d41d8cd98f00b204e9800998ecf8427e", size },
    target: { bucket: "B", key: `new/${name}` },
    storageClass: null,
    onlyIfAbsent: true,
    ...others,
  };
}

describe("a copy", () => {
  it.each<[string, CopyRequest, RegExp | null]>([
    ["small", request("a"), null],
    ["of 1 GiB", request("a", { size: 2 ** 30 }), null],
    ["of more", request("a", { size: 2 ** 30 + 1 }), /larger than 1 GiB/],
    ["in GLACIER_IR, which can be read at once", request("a", { storageClass: "GLACIER_IR" }), null],
    ["in GLACIER", request("a", { storageClass: "GLACIER" }), /archived \(GLACIER\)/],
    ["in DEEP_ARCHIVE", request("a", { storageClass: "DEEP_ARCHIVE" }), /archived/],
    [
      "to a key that the prefixes do not give",
      request("a", { target: { bucket: "B", key: "b" } }),
      /prefixes/,
    ],
    ["to another bucket", request("a", { target: { bucket: "C", key: "new/a" } }), /prefixes/],
    ["with a key that fits even with the largest number", request("x".repeat(963)), null],
    ["with a key one character longer", request("x".repeat(964)), /too long/],
    ["with a key that is too long when encoded", request("é".repeat(200)), /too long/],
  ])("%s", (_, copy, objection) => {
    if (objection === null) {
      expect(objectionTo(copy, TERMS)).toBeNull();
      expect(taskField({ number: Number.MAX_SAFE_INTEGER, request: copy }).length).toBeLessThanOrEqual(1024);
    } else expect(objectionTo(copy, TERMS)).toMatch(objection);
  });

  it("says what may be at its target: nothing, or one object; never anything", () => {
    const replacing = (changes: Partial<CopyRequest>) =>
      decodeTask(taskField({ number: 1, request: request("a", changes) }))?.replacing;
    expect(replacing({ onlyIfAbsent: true })).toBeNull();
    expect(replacing({ onlyIfAbsent: false, replacing: "abc" })).toBe("abc");
    expect(replacing({ onlyIfAbsent: false })).toBeNull();
  });
});

describe("arguments", () => {
  const consignment = { token: "t", notAfter: 1_700_000_000_000 };

  it.each([
    [100, 50, 2_000],
    [0, 50, 20],
    [1, null, 0],
    [7, 3, 2_334],
    [300, 10, 30_000],
  ])(
    "hold the shortest invocation for %i at once and %s a second",
    (concurrency, requestsPerSecond, leastMs) => {
      const given = userArguments(TERMS, consignment, { concurrency, requestsPerSecond }, 60_000);
      expect(decodeTerms(given)).toEqual({ ...TERMS, ...consignment, leastMs });
    },
  );

  it("are refused where invocations could not last so long", () => {
    const limits = { concurrency: 301, requestsPerSecond: 10 };
    expect(() => userArguments(TERMS, consignment, limits, 60_000)).toThrow(
      expect.objectContaining({
        code: "engine_refused",
        message: expect.stringContaining("lower concurrency"),
      }),
    );
  });

  it("are refused where one is longer than 1,024 characters when encoded", () => {
    const limits = { concurrency: 1, requestsPerSecond: null };
    const withPrefix = (targetPrefix: string) =>
      userArguments({ ...TERMS, targetPrefix }, consignment, limits, 60_000);
    expect(withPrefix("x".repeat(1024)).targetPrefix).toHaveLength(1024);
    expect(() => withPrefix("x".repeat(1025))).toThrow(
      expect.objectContaining({
        code: "engine_refused",
        message: expect.stringMatching(/^targetPrefix is longer/),
      }),
    );
    expect(() => withPrefix("/".repeat(342))).toThrow(/targetPrefix/);
  });
});

describe("an error of AWS", () => {
  const answer = (name: string, message: string, status: number) =>
    Object.assign(new Error(message), { name, $fault: "client", $metadata: { httpStatusCode: status } });

  it.each<[unknown, string]>([
    [answer("TooManyRequestsException", "slower", 400), "engine_unavailable"],
    [answer("InternalServiceException", "", 500), "engine_unavailable"],
    [answer("SlowDown", "", 503), "engine_unavailable"],
    [answer("Unknown", "", 502), "engine_unavailable"],
    [answer("SyntaxError", "an answer that was cut short", 200), "engine_unavailable"],
    [Object.assign(new Error("connect"), { code: "ECONNREFUSED" }), "engine_unavailable"],
    [Object.assign(new Error("late"), { name: "TimeoutError" }), "engine_unavailable"],
    [answer("ExpiredToken", "", 400), "engine_unavailable"],
    [answer("AccessDenied", "not authorized to perform: s3:CreateJob", 403), "engine_refused"],
    [answer("BadRequestException", "role", 400), "engine_refused"],
    [Object.assign(new Error("expired"), { code: "CERT_HAS_EXPIRED" }), "engine_refused"],
    [new TypeError("a fault of ours"), "engine_refused"],
    ["text", "engine_refused"],
  ])("%s is %s", (error, code) => {
    expect(engineFault(error, "creating a job")).toMatchObject({
      code,
      message: expect.stringContaining("when creating a job"),
    });
  });

  it.each(["SignatureDoesNotMatch", "InvalidAccessKeyId", "ExpiredToken"])("%s tells no secret", (name) => {
    const secret = "AKIAIOSFODNN7EXAMPLE";
    const error = Object.assign(answer(name, `string to sign ${secret}`, 403), {
      $response: { body: secret },
    });
    const fault = engineFault(error, "creating a job");
    const all = `${fault.message} ${JSON.stringify(fault.details)} ${(fault.cause as Error).message} ${(fault.cause as Error).stack}`;
    expect(all).not.toContain(secret);
    expect(Object.keys(fault.cause as object)).not.toContain("$response");
    expect(vendorCode(fault)).toBe(name);
  });
});

describe("an end", () => {
  const nothing = { held: 0, failure: null };
  it.each([
    [{ Status: "Complete" as const }, nothing, { kind: "ended" }],
    [{ Status: "Complete" as const }, { held: 1, failure: null }, { kind: "recalled" }],
    [
      {
        Status: "Failed" as const,
        FailureReasons: [{ FailureCode: "Code", FailureReason: "first\nline" }, { FailureCode: "Other" }],
      },
      { held: 0, failure: "PermanentFailure: why" },
      {
        kind: "broken",
        reason:
          "job J of S3 Batch Operations failed: Code: first line; Other; a failed task says: PermanentFailure: why",
      },
    ],
    [
      { Status: "Cancelled" as const },
      nothing,
      { kind: "broken", reason: expect.stringMatching(/from outside$/) },
    ],
    [null, nothing, { kind: "broken", reason: expect.stringContaining("does not exist") }],
  ])("%o, %o", (job, report, end) => {
    expect(howItEnded("J", job, report)).toEqual(end);
  });
});

it.each([
  ["tranship/", "tranship/J/3"],
  ["a/b//", "a/b/J/3"],
  ["", "J/3"],
  ["/", "J/3"],
])("below the prefix %j files are in %j", (prefix, path) => {
  expect(consignmentPath(prefix, "J", 3)).toBe(path);
});
