/** The section on planning from a bucket. */

import { figure, times } from "./figures.ts";
import { measureListing } from "./measure-listing.ts";
import type { Effort, Section, SectionReport } from "./section.ts";

export const listingSection: Section = { name: "listing", measure };

const ROUNDS = 3;

async function measure(effort: Effort): Promise<SectionReport> {
  const keys = effort.quick ? 30_000 : 1_000_000;
  const latencyMs = 50;
  const runs = [];
  for (let round = 0; round < (effort.quick ? 1 : ROUNDS); round++) {
    const run = await measureListing({ keys, latencyMs });
    effort.tell(
      `listing: ${figure(run.sequentialSeconds)} s by one stream, ${figure(run.parallelSeconds)} s by several`,
    );
    runs.push(run);
  }
  const middle = runs.toSorted((a, b) => a.ratio - b.ratio)[Math.floor(runs.length / 2)];
  if (middle === undefined) throw new Error("no round was measured");
  return {
    title: "Planning from a bucket",
    text: [
      `${figure(keys)} keys are planned on a store that waits ${latencyMs} ms before each page, by one listing stream and by as many as are worth it (${runs.length} rounds, the one with the median ratio is shown). Both must plan the same keys. This one measure looks within: the planner runs in the benchmark's process.`,
    ],
    tables: [
      {
        head: ["streams", "seconds", "list requests", "CPU s"],
        rows: [
          [
            "one",
            figure(middle.sequentialSeconds),
            figure(middle.requestsSequential),
            figure(middle.sequentialCpuSeconds),
          ],
          [
            "up to 16",
            figure(middle.parallelSeconds),
            figure(middle.requestsParallel),
            figure(middle.parallelCpuSeconds),
          ],
        ],
      },
    ],
    charts: [
      {
        title: `Seconds to plan ${figure(keys)} keys (less is better)`,
        bars: [
          {
            label: "one stream",
            value: middle.sequentialSeconds,
            text: figure(middle.sequentialSeconds),
            ours: false,
          },
          {
            label: "up to 16 streams",
            value: middle.parallelSeconds,
            text: figure(middle.parallelSeconds),
            ours: true,
          },
        ],
      },
    ],
    budgets: [
      {
        what: `planning ${figure(keys)} keys at ${latencyMs} ms against one stream`,
        budget: "≥ 5×",
        measured: times(middle.ratio),
        met: middle.ratio >= 5,
      },
    ],
    worse: [],
  };
}
