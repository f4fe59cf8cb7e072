/** The gate before each batch and stage: may it start? It decides by observing only; the first objection counts. */

import type { Stage } from "../domain/batch.ts";
import type { WaitReason } from "../domain/job-state.ts";

export interface Question {
  readonly stage: Stage;
  /** Epoch milliseconds. */
  readonly at: number;
}

export interface Hold {
  readonly reason: WaitReason;
  /** Epoch milliseconds; null when unknown. */
  readonly until: number | null;
  readonly detail: string;
}

/** One reason why a stage may not start: a hold, or null for none. It cannot be overridden. */
export type Objection = (question: Question) => Hold | null | Promise<Hold | null>;

export interface Gate {
  /** Null: the stage may start. */
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

/** Holds deletions until the job is approved; reads that from the ledger each time, as memory may be outdated. */
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
