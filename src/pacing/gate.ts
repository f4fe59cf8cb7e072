/** The question asked before each batch and stage: may it start? Deciding only observes; the first objection wins. */

import type { Stage } from "../domain/batch.ts";
import type { WaitReason } from "../domain/job-state.ts";

export interface Question {
  readonly stage: Stage;
  /** Epoch milliseconds. */
  readonly at: number;
}

export interface Hold {
  readonly reason: WaitReason;
  /** Epoch milliseconds, or null when nobody can know. */
  readonly until: number | null;
  readonly detail: string;
}

/** One reason why a stage may not start: a hold, or null for no objection. Nobody can override it. */
export type Objection = (question: Question) => Hold | null | Promise<Hold | null>;

export interface Gate {
  /** Null: go. */
  ask(question: Question): Promise<Hold | null>;
}

/** A gate that asks `objections` in order. */
export function gateOf(objections: readonly Objection[]): Gate {
  return {
    async ask(question) {
      for (const objection of objections) {
        const hold = await objection(question);
        if (hold !== null) return hold;
      }
      return null;
    },
  };
}

/** Deleting waits for somebody's approval, read from the ledger each time: memory is not trusted with it. */
export function untilApproved(isApproved: () => Promise<boolean>): Objection {
  return async ({ stage }) => {
    if (stage !== "delete" || (await isApproved())) return null;
    return {
      reason: "approval",
      until: null,
      detail: "deleting the sources waits for POST /jobs/:id/approve",
    };
  };
}
