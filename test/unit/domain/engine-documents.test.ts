/** docs/aws/choosing.md says what the code counts with, and names every refusal. */

import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { LIST_PRICES, PRICES_READ, PRICES_REGION } from "../../../src/domain/engines/aws-prices.ts";
import { engineEstimates } from "../../../src/domain/engines/engine-costs.ts";

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");
const page = read("docs/aws/choosing.md");
/** The cells of the table rows that match. */
const rows = (pattern: RegExp) =>
  page
    .split("\n")
    .filter((line) => pattern.test(line))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

it("has each price, where and when it was read", () => {
  const prices = rows(/^\| `\w+(Million|Job|Second)`/).flatMap(([name = "", dollars]) =>
    name.slice(1, -1) in LIST_PRICES ? [[name.slice(1, -1), Number(dollars)]] : [],
  );
  expect(Object.fromEntries(prices)).toEqual(LIST_PRICES);
  expect(page).toContain(`US dollars, ${PRICES_REGION}, read in ${PRICES_READ}`);
});

it.each([
  [1_000_000, /^\| \*\*a million\*\*/],
  [5_000_000, /^\| \*\*five million\*\*/],
])("has the sums for %d objects", (objects, pattern) => {
  const [cells = []] = rows(pattern);
  const written = cells.slice(1).map((cell) => cell.replaceAll("*", ""));
  const estimates = engineEstimates({
    ...{ objects, bytes: 0, requests: { list: objects / 200, copy: objects, head: 0 } },
    limits: { concurrency: 128, requestsPerSecond: null, bytesPerSecond: null },
    ...{ prices: LIST_PRICES, objections: { lambda: null, "lambda-copy-log": null } },
  });
  expect(written).toHaveLength(3);
  for (const [i, { dollars }] of estimates.entries()) {
    const digits = written[i]?.split(".")[1]?.length ?? 0;
    expect(Number(dollars) + 1e-9, written[i]).toBeCloseTo(Number(written[i]), digits);
  }
});

it("names every code of a refusal, and no other", () => {
  const code = ["engine-faults", "engine-limit-faults"]
    .map((name) => read(`src/domain/engines/${name}.ts`))
    .join();
  const raised = new Set([...code.matchAll(/"(not_available|engine_[a-z_]+)"/g)].map(([, name]) => name));
  const named = rows(/^\| `(not_available|engine_\w+)`/).map(([name = ""]) => name.slice(1, -1));
  expect(named.sort()).toEqual([...raised].sort());
});

it("names every bound", () => {
  const [, union = ""] =
    /export type EngineBound =([^;]+);/.exec(read("src/domain/engines/engine-times.ts")) ?? [];
  const bounds = [...union.matchAll(/"(\w+)"/g)].map(([, name]) => name);
  const [first = 0, last = 0] = [page.indexOf("| `boundBy`"), page.indexOf("Windows prolong")];
  const named = [...page.slice(first, last).matchAll(/^\| `(\w+)` /gm)].map(([, name]) => name);
  expect(named).toEqual(["boundBy", ...bounds]);
});
