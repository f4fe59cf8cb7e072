/** The effect of each action in each state, written out. */

import { describe, expect, it } from "vitest";
import {
  isFinished,
  isRunnable,
  JOB_ACTIONS,
  JOB_STATES,
  type JobAction,
  type JobState,
  transitionFor,
} from "../../../src/domain/job-state.ts";

/** A state to go to, "same" for a harmless repetition, "no" for a refusal. */
type Cell = JobState | "same" | "no";
const ORDER: readonly JobAction[] = ["pause", "resume", "cancel", "retry", "approve"];
const MATRIX: Readonly<Record<JobState, readonly [Cell, Cell, Cell, Cell, Cell]>> = {
  queued: ["paused", "same", "cancelled", "same", "same"],
  running: ["pausing", "same", "cancelling", "same", "same"],
  waiting: ["pausing", "same", "cancelling", "same", "same"],
  pausing: ["same", "queued", "cancelling", "no", "same"],
  paused: ["same", "queued", "cancelled", "queued", "same"],
  cancelling: ["no", "no", "same", "no", "no"],
  cancelled: ["no", "no", "same", "no", "no"],
  completed: ["no", "no", "no", "same", "same"],
  completed_with_exceptions: ["no", "no", "no", "queued", "same"],
  failed: ["no", "queued", "cancelled", "queued", "same"],
};

const cells = Object.entries(MATRIX).flatMap(([state, row]) =>
  row.map((cell, i) => [state as JobState, ORDER[i] as JobAction, cell] as const),
);

describe("an action", () => {
  it.each(cells)("on a job that is %s: %s gives %s", (state, action, cell) => {
    const answer = transitionFor(action, state);
    const expected = cell === "no" ? null : cell === "same" ? "same" : { go: cell };
    expect(answer).toEqual(expected);
  });

  it("is known for every state and every action there is", () => {
    expect(Object.keys(MATRIX).sort()).toEqual([...JOB_STATES].sort());
    expect([...ORDER].sort()).toEqual([...JOB_ACTIONS].sort());
    expect(cells).toHaveLength(50);
  });

  it("never leads out of cancelled or completed", () => {
    for (const state of ["cancelled", "completed"] as const) {
      for (const action of JOB_ACTIONS) expect(["same", null]).toContain(transitionFor(action, state));
    }
  });

  it("may be repeated: the state it leads to refuses it no more than before", () => {
    for (const state of JOB_STATES) {
      for (const action of JOB_ACTIONS) {
        const answer = transitionFor(action, state);
        if (answer === null || answer === "same") continue;
        expect(transitionFor(action, answer.go)).not.toBeNull();
      }
    }
  });
});

describe("a state", () => {
  it("is either finished, or to be taken up by a scheduler, or paused", () => {
    const finished = JOB_STATES.filter(isFinished);
    const runnable = JOB_STATES.filter(isRunnable);
    expect(finished).toEqual(["cancelled", "completed", "completed_with_exceptions", "failed"]);
    expect(runnable).toEqual(["queued", "running", "waiting", "pausing", "cancelling"]);
    expect([...finished, ...runnable, "paused"].sort()).toEqual([...JOB_STATES].sort());
  });
});
