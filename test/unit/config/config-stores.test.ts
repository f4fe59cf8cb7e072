/** Names of stores in the configuration. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { readConfig } from "../../../src/config.ts";

const directory = mkdtempSync(join(tmpdir(), "tranship-config-"));
afterAll(() => rmSync(directory, { recursive: true }));

function namesOf(...names: readonly string[]): readonly string[] {
  const path = join(directory, "config.json");
  writeFileSync(path, JSON.stringify({ stores: Object.fromEntries(names.map((name) => [name, {}])) }));
  return Object.keys(readConfig(path, {}).stores);
}

it("are as long as the ledger can keep", () => {
  const longest = "s".repeat(200);
  expect(namesOf("main", longest)).toEqual(["main", longest]);
  expect(() => namesOf(`${longest}s`)).toThrow(
    /\/stores\/s+…: the name of a store has 200 characters at most/,
  );
});
