/** A batch's stages: the gate before each, its record after it, and room for other work in between. */

import { expect, it } from "vitest";
import { JobTime } from "../../../src/conveyor/job-time.ts";
import { UnrecordedCopies, UnrecordedRows } from "../../../src/conveyor/live-tally.ts";
import { runBatch } from "../../../src/conveyor/run-batch.ts";
import type { RunContext } from "../../../src/conveyor/run-context.ts";
import { WaitTracker } from "../../../src/conveyor/wait-tracker.ts";
import { emptyTally } from "../../../src/domain/tally.ts";
import type { Ledger } from "../../../src/ports/ledger.ts";
import { ReferenceChecks } from "../../../src/stages/reference-checks.ts";
import type { DeleteContext, StageContexts, UpdateContext } from "../../../src/stages/stage-contexts.ts";
import { batchObject, plannedBatch } from "../../support/batches.ts";
import { VirtualClock } from "../../support/clocks/virtual-clock.ts";
import { AVATARS } from "../../support/job-spec.ts";
import { only } from "../../support/only.ts";

it("asks the gate before each stage and records it after, and lets answers that came meanwhile be used between stages", async () => {
  const seen: string[] = [];
  const clock = new VirtualClock();
  const spec = { ...AVATARS, delete: { when: "never", after: "0s" } } as const;
  const gate = {
    async ask({ stage }: { stage: string }) {
      seen.push(stage);
      return null;
    },
  };
  const run: RunContext = {
    ...{ spec, clock, gate, signal: new AbortController().signal },
    lease: { jobId: "j", owner: "o", token: 1 },
    ledger: only<Ledger>({
      async recordStage({ owner }, { stage }) {
        seen.push(`${owner} records ${stage}`);
        setImmediate(() => seen.push("an answer"));
      },
    }),
    referenceChecks: new ReferenceChecks(clock),
    stages: only<StageContexts>({
      update: only<UpdateContext>({ references: [] }),
      delete: only<DeleteContext>({ deleteWhen: "never" }),
    }),
    consigning: null,
    waits: new WaitTracker(clock),
    tally: emptyTally(),
    unrecorded: new UnrecordedCopies(),
    rows: new UnrecordedRows(),
    graceMs: 0,
    time: new JobTime(clock, { lagMs: 0, seenUntil: 0 }),
  };
  const batch = plannedBatch([batchObject("image/a", { targetEtag: "e" })]);
  batch.state = "verified";
  expect(await runBatch(run, batch)).toBe("done");
  expect(seen.slice(0, 3)).toEqual(["update", "o records update", "an answer"]);
  expect(seen.filter((what) => what !== "an answer")).toEqual([
    ...["update", "o records update"],
    // Once as before each stage, and once for the deferral of a batch that must wait.
    ...["delete", "delete", "o records delete"],
  ]);
  expect(run.tally).toMatchObject({ updated: 1, moved: 1 });
});
