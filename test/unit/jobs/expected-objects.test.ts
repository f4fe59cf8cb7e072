/** Percent and estimated end of a job whose inventory was counted ahead of planning. */

import { describe, expect, it } from "vitest";
import { emptyTally } from "../../../src/domain/tally.ts";
import { viewOf } from "../../../src/jobs/view/job-view.ts";
import type { ExpectedObjects, JobRecord } from "../../../src/ports/ledger.ts";
import { noRequests } from "../../../src/ports/object-store.ts";
import { luxonCalendar as calendar } from "../../../src/stores/luxon-calendar.ts";
import { AVATARS } from "../../support/job-spec.ts";

const NOW = Date.UTC(2026, 10, 1, 12);
const HOUR = 3_600_000;

interface Given {
  readonly planDone?: boolean;
  readonly expected?: ExpectedObjects | null;
  readonly planned?: number;
  readonly moved?: number;
  readonly state?: JobRecord["state"];
}

/** A job that copies and settles ten objects a second, without windows or grace. */
function shown({
  planDone = false,
  expected = null,
  planned = 20_000,
  moved = 10_000,
  state = "running",
}: Given) {
  const spec = { ...AVATARS, windows: null, delete: { when: "verified", after: "0s" } } as const;
  const record = {
    ...{ id: "1", name: "a", spec, state, waiting: null, reason: null, planDone, expected, version: 1 },
    ...{ requests: noRequests(), statements: {}, activeMs: 0, approvedBy: null, approvedAt: null },
    ...{ createdAt: NOW, updatedAt: NOW, startedAt: NOW, finishedAt: null },
  } as unknown as JobRecord;
  const tally = { ...emptyTally(), planned, copied: moved, moved };
  const measured = { copiedPerSecond: 10, settledPerSecond: 10, limits: null, updatedAt: NOW };
  const live = {
    objectsPerSecond: 10,
    bytesPerSecond: 0,
    activeMs: 0,
    requests: noRequests(),
    statements: {},
  };
  const view = viewOf(record, tally, { ...live, tally, measured }, { now: NOW, calendar });
  const { finishAt, percent } = view;
  return { percent, hours: finishAt === null ? null : Math.round((Date.parse(finishAt) - NOW) / HOUR) };
}

const counted = (objects: number): ExpectedObjects => ({ objects, bytes: null });

describe("a job whose inventory is not planned yet", () => {
  it.each<[string, Given, { percent: number | null; hours: number | null }]>([
    ["nothing is known before it was counted", {}, { percent: null, hours: null }],
    ["all that was counted counts", { expected: counted(370_000) }, { percent: 2.7, hours: 10 }],
    [
      "more planned than counted counts",
      { expected: counted(9), planned: 82_000 },
      { percent: 12.1, hours: 2 },
    ],
    [
      "what is planned in the end counts",
      { expected: counted(370_000), planDone: true },
      { percent: 50, hours: 0 },
    ],
    [
      "it is not done before it is planned",
      { expected: counted(9), moved: 20_000 },
      { percent: 99.9, hours: 0 },
    ],
    ["it is done when planned and settled", { planDone: true, moved: 20_000 }, { percent: 100, hours: 0 }],
    [
      "where it was given up stays known",
      { expected: counted(40_000), state: "cancelled" },
      { percent: 25, hours: null },
    ],
  ])("%s", (_, given, expected) => {
    expect(shown(given)).toEqual(expected);
  });
});
