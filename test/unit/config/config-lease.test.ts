/** How long a lease may be configured to last. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { readConfig } from "../../../src/config.ts";

const directory = mkdtempSync(join(tmpdir(), "tranship-config-"));
afterAll(() => rmSync(directory, { recursive: true }));

function leaseOf(file: unknown): number {
  const path = join(directory, "config.json");
  writeFileSync(path, JSON.stringify(file));
  return readConfig(path, {}).leaseSeconds;
}

it("is ten seconds unless configured, and two to sixty at will", () => {
  expect(readConfig(null, {}).leaseSeconds).toBe(10);
  for (const leaseSeconds of [2, 10, 60]) expect(leaseOf({ leaseSeconds })).toBe(leaseSeconds);
});

it.each([0, 1, 61, 2.5, -10, "10", null])("cannot be %j", (leaseSeconds) => {
  expect(() => leaseOf({ leaseSeconds })).toThrow(/\/leaseSeconds/);
});
