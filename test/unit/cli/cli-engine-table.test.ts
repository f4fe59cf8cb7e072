/** The engines of a preflight report, as people read them. */

import { expect, it } from "vitest";
import { engineLines } from "../../../src/cli/rendering/engine-table.ts";
import { LIST_PRICES, pricesText } from "../../../src/domain/engines/aws-prices.ts";
import { engineEstimates } from "../../../src/domain/engines/engine-costs.ts";

const work = {
  ...{ objects: 1_000_000, bytes: 0, requests: { list: 5000, copy: 1_000_000, head: 0 } },
  limits: { concurrency: 1024, requestsPerSecond: null, bytesPerSecond: null },
  objections: { lambda: null, "lambda-copy-log": "/engine: not here\u001b[2J" },
};

it("are a table, each with its reason, and with where the prices come from", () => {
  const engines = engineEstimates({ ...work, prices: LIST_PRICES });
  expect(engineLines({ engines, prices: pricesText({}) })).toEqual([
    "",
    "     engine           at least  cost   bound by",
    "  *  service          4m 46s    $5.03  3,500 writes/s to a new prefix",
    "     lambda           4m 46s    $7.47  3,500 writes/s to a new prefix",
    "     lambda-copy-log  8m 20s    $9.97  2,000 objects/s of a new table",
    "  service: none is faster, and none costs less",
    "  lambda: costs $2.45 more and is no faster than service; take it to copy while no machine of yours runs",
    "  lambda-copy-log: cannot do this job: /engine: not here\ufffd[2J",
    "  (AWS list prices of us-east-1, November 2026)",
  ]);
});

it("are not shown where there is no choice", () => {
  expect(engineLines({ engines: engineEstimates({ ...work, prices: null }), prices: "" })).toEqual([]);
  expect(engineLines({ engines: [], prices: "" })).toEqual([]);
});
