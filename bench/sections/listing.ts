/** Planning from a bucket: by one listing stream, and by as many as are worth it, on the same store. */

import { figure } from "../figures.ts";
import type { Effort, Section, SectionReport } from "../section.ts";
import { SOURCE, startStore, TARGET } from "../worlds/store-process.ts";
import { planBucket } from "./plan-bucket.ts";

const LATENCY_MS = 50;

export const listingSection: Section = { name: "listing", measure };

async function measure(effort: Effort): Promise<SectionReport> {
  const keys = effort.quick ? 30_000 : 1_000_000;
  const rounds = [];
  for (let round = 0; round < (effort.quick ? 1 : 3); round++) {
    const { one, several } = await measureRound(effort.dist, keys);
    effort.tell(`listing: ${figure(one.seconds)} s by one stream, ${figure(several.seconds)} s by several`);
    rounds.push({ one, several, ratio: one.seconds / several.seconds });
  }
  const middle = rounds.toSorted((a, b) => a.ratio - b.ratio)[Math.floor(rounds.length / 2)];
  if (middle === undefined) throw new Error("no round was measured");
  const { one, several, ratio } = middle;
  return {
    title: "Planning from a bucket",
    text: `${figure(keys)} keys are planned on a store that waits ${LATENCY_MS} ms before each page, by one listing stream and by as many as are worth it (${rounds.length} rounds, the one with the median ratio is shown). Both must plan the same keys. This one measure looks within: the planner runs in the benchmark's process.`,
    table: {
      head: ["streams", "seconds", "list requests", "CPU s"],
      rows: Object.entries({ one, "up to 16": several }).map(([streams, run]) => [
        streams,
        ...[run.seconds, run.requests, run.cpuSeconds].map(figure),
      ]),
    },
    figures: { "planning from a bucket against one stream": effort.quick ? null : ratio },
  };
}

/** A store with `keys` numbered objects, planned both ways; throws when they differ. */
async function measureRound(dist: string, keys: number) {
  const store = await startStore(dist, {
    numbered: `${SOURCE.bucket}/${SOURCE.prefix}:${keys}:10`,
    "numbered-target": `${TARGET.bucket}/${TARGET.prefix}:${keys}:10`,
    "latency-ms": LATENCY_MS,
  });
  try {
    // The first run of any code is slow: both ways are warmed up by a part of the listing.
    await planBucket(store.url, 20_000);
    const one = await planBucket(store.url, keys);
    const several = await planBucket(store.url, null);
    if (one.planned !== keys || several.planned !== keys || one.digest !== several.digest) {
      throw new Error(`planned ${one.planned} and ${several.planned} of ${keys} keys, or others`);
    }
    return { one, several };
  } finally {
    store.kill();
  }
}
