/** A batch's stages and the answers that come meanwhile: who gets the event loop first. */

import { expect, it } from "vitest";
import { JobTime } from "../../../src/conveyor/job-time.ts";
import { UnrecordedCopies, UnrecordedRows } from "../../../src/conveyor/live-tally.ts";
import { runBatch } from "../../../src/conveyor/run-batch.ts";
import { WaitTracker } from "../../../src/conveyor/wait-tracker.ts";
import { type Batch, PENDING } from "../../../src/domain/batch.ts";
import { emptyTally } from "../../../src/domain/tally.ts";
import { ReferenceChecks } from "../../../src/stages/reference-checks.ts";
import type { StageContext } from "../../../src/stages/stage-context.ts";
import { SteppedClock } from "../../support/clocks/stepped-clock.ts";
import { AVATARS } from "../../support/job-spec.ts";

/** Verified, so that the update of its rows and the end without a deletion are left to do. */
const verified = (): Batch => ({
  jobId: "job",
  seq: 1,
  state: "verified",
  objects: [
    {
      key: "image/a",
      size: 1,
      etag: "e",
      storageClass: null,
      modifiedAt: null,
      rows: [],
      targetEtag: "e",
      outcome: PENDING,
    },
  ],
  plannedUnder: 1,
  updatedAt: null,
});

it("lets answers that came during a stage be used before its record, and those after it before the next stage", async () => {
  const seen: string[] = [];
  const answerComes = () => setImmediate(() => seen.push("answer"));
  const clock = new SteppedClock();
  const context = {
    spec: { ...AVATARS, delete: { when: "never", after: "0s" } },
    lease: { token: 1 },
    clock,
    references: [],
    referenceChecks: new ReferenceChecks(clock),
    gate: {
      async ask({ stage }: { stage: string }) {
        seen.push(stage);
        // Nothing gives way between this and the end of the stage's own work.
        answerComes();
        return null;
      },
    },
    ledger: {
      async recordStage() {
        seen.push("record");
        answerComes();
      },
    },
    signal: new AbortController().signal,
  } as unknown as StageContext;
  const run = {
    context,
    contexts: { copy: context, update: context, delete: context },
    waits: new WaitTracker(context.clock),
    tally: emptyTally(),
    unrecorded: new UnrecordedCopies(),
    rows: new UnrecordedRows(),
    graceMs: 0,
    time: new JobTime(context.clock, { lagMs: 0, seenUntil: 0 }),
  };
  expect(await runBatch(run, verified())).toBe("done");
  // The gate is asked twice before a deletion, and each time an answer comes.
  const update = ["update", "answer", "record", "answer"];
  const end = ["delete", "delete", "answer", "answer", "record", "answer"];
  expect(seen).toEqual([...update, ...end]);
});
