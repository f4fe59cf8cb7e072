/** What holds of all actions and states; the effect of each in each is written out in `control-matrix.test.ts`. */

import { describe, expect, it } from "vitest";
import {
  isFinished,
  isRunnable,
  JOB_ACTIONS,
  JOB_STATES,
  transitionFor,
} from "../../../src/domain/job-state.ts";

describe("an action", () => {
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
