/** A job's limits of the database's health, and their defaults. */

import { describe, expect, it } from "vitest";
import { DomainError } from "../../../src/domain/errors.ts";
import { readJobSpec } from "../../../src/jobs/submit/parse-job-spec.ts";

const read = (database: unknown) =>
  readJobSpec({ source: { bucket: "bucket-a" }, target: { bucket: "bucket-b" }, guards: { database } }).guards
    .database;
const NONE = { maxThreadsRunning: null, maxReplicaLagSeconds: null, maxLockWaits: null, onUnknown: "hold" };

describe("the database guard of a job", () => {
  it.each([
    ["none", null, null],
    ["no limits", {}, NONE],
    ["one limit", { maxThreadsRunning: 40 }, { ...NONE, maxThreadsRunning: 40 }],
    [
      "all there is",
      { maxThreadsRunning: 40, maxReplicaLagSeconds: 0, maxLockWaits: 1, onUnknown: "go" },
      { maxThreadsRunning: 40, maxReplicaLagSeconds: 0, maxLockWaits: 1, onUnknown: "go" },
    ],
  ])("%s", (_, input, expected) => {
    expect(read(input)).toEqual(expected);
  });

  it.each([
    ["threads", { maxThreadsRunning: 0 }, "/guards/database/maxThreadsRunning"],
    ["lag", { maxReplicaLagSeconds: -1 }, "/guards/database/maxReplicaLagSeconds"],
    ["lock waits", { maxLockWaits: 0.5 }, "/guards/database/maxLockWaits"],
    ["anything else to do", { onUnknown: "guess" }, "/guards/database/onUnknown"],
  ])("refuses %s that make no sense", (_, input, pointer) => {
    let error: unknown;
    try {
      read(input);
    } catch (thrown) {
      error = thrown;
    }
    if (!(error instanceof DomainError)) throw new Error("a DomainError was expected");
    expect(error.faults.map((fault) => fault.pointer)).toEqual([pointer]);
  });
});
