/** A store that takes so many writes a second for each bucket: how much of it is used, how much is sent in vain. */

import { figure, percent } from "../figures.ts";
import { medianOf } from "../latencies.ts";
import { installedPeers } from "../peers/debian-peers.ts";
import { LATENCY_MS, runInTurn, writesOf } from "../peers/run-contender.ts";
import { transhipContender } from "../peers/tranship-contender.ts";
import type { Effort, Section, SectionReport } from "../section.ts";
import { type StoreSample, TARGET } from "../worlds/store-process.ts";

const WRITES_PER_SECOND = 1000;
const CONCURRENCY = 256;
/** Until a contender may have found the rate. */
const RUN_UP_MS = 5000;

export const throttledSection: Section = { name: "throttled", measure };

async function measure(effort: Effort): Promise<SectionReport> {
  const contenders = [
    transhipContender(effort.dist, { name: "Tranship", database: null, ledger: "sqlite" }),
    // s3cmd stays far below the limit, doing one request at a time. aws-cli stays below it too, and moves fewer objects.
    ...(effort.peers ? installedPeers() : [])
      .filter(({ concurrent }) => concurrent)
      .map((peer) => ({ ...peer, share: peer.share < 1 ? 0.25 : 1 })),
  ];
  const objects = effort.quick ? 500 : 15_000;
  const load = { concurrency: CONCURRENCY, objects, bytes: 1024, writeBudget: WRITES_PER_SECOND };
  const runs = await runInTurn(contenders, load, effort.quick ? 1 : 3, effort);
  const rows = [...runs].map(([{ name }, done]) => {
    const shares = done.map(({ counts }) => sharesOf(counts.timeline, WRITES_PER_SECOND));
    const middle = (share: keyof Shares) => medianOf(shares.map((each) => each[share]));
    return {
      ...{ name, objects: done[0]?.objects ?? 0, rounds: done.length },
      seconds: medianOf(done.map(({ seconds }) => seconds)),
      requestsPerObject: medianOf(done.map((run) => run.requests / run.objects)),
      ...{ used: middle("used"), usedLater: middle("usedLater") },
      ...{ rejected: middle("rejected"), rejectedLater: middle("rejectedLater") },
    };
  });
  const [ours] = rows;
  // A quick run is over before the later part begins.
  const later = ours === undefined || effort.quick ? null : ours;
  return {
    title: "A store that throttles",
    text: `Each bucket takes ${figure(WRITES_PER_SECOND)} writes a second (a bulk delete costs one for each key) and answers 503 SlowDown to what is more; concurrency ${CONCURRENCY}, ${LATENCY_MS} ms. "Used" is the copies that the target bucket took, of those it would have taken, between the first copy and the last; "rejected" is the share of all write requests that got a 503.`,
    table: {
      head: [
        "contender",
        "objects × rounds",
        "seconds",
        "used",
        "used, after 5 s",
        "rejected",
        "rejected, after 5 s",
        "requests an object",
      ],
      rows: rows.map((row) => [
        row.name,
        `${figure(row.objects)} × ${row.rounds}`,
        figure(row.seconds),
        percent(row.used),
        percent(row.usedLater),
        percent(row.rejected),
        percent(row.rejectedLater),
        figure(row.requestsPerObject),
      ]),
    },
    figures: {
      "share of a store's write rate used, after 5 s": later?.usedLater ?? null,
      "share of writes rejected, after 5 s": later?.rejectedLater ?? null,
    },
  };
}

interface Shares {
  /** Copies that the target bucket took, as a share of what it would have taken, from the first copy to the last. */
  readonly used: number;
  /** Writes answered with 503, as a share of the writes that the store received, from the start. */
  readonly rejected: number;
  /** The same without the first five seconds; NaN for a run that was over by then. */
  readonly usedLater: number;
  readonly rejectedLater: number;
}

/** What a timeline says; throws when there is no copy in it. */
export function sharesOf(timeline: readonly StoreSample[], writesPerSecond: number): Shares {
  const end = timeline.at(-1);
  const first = timeline.findLast((sample) => copiesOf(sample) === 0);
  if (end === undefined || first === undefined) throw new Error("the store saw no copies");
  const later = timeline.find((sample) => sample.ms >= first.ms + RUN_UP_MS) ?? end;
  const copied = timeline.find((sample) => copiesOf(sample) === copiesOf(end)) ?? end;
  const used = (from: StoreSample) =>
    (copiesOf(copied) - copiesOf(from)) / (((copied.ms - from.ms) / 1000) * writesPerSecond);
  const rejected = (from: StoreSample) =>
    (slowDownsOf(end) - slowDownsOf(from)) / (writesOf(end) - writesOf(from));
  return {
    used: used(first),
    usedLater: copied.ms > later.ms ? used(later) : Number.NaN,
    rejected: rejected(first),
    rejectedLater: rejected(later),
  };
}

function copiesOf({ granted }: StoreSample): number {
  return granted[TARGET.bucket] ?? 0;
}

function slowDownsOf({ slowDown }: StoreSample): number {
  return Object.values(slowDown).reduce((sum, count) => sum + count, 0);
}
