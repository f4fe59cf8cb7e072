/** The states of a job and what an operator may do in each; a table, so that a reviewer can check every cell. */

export type JobState =
  | "queued"
  | "running"
  | "waiting"
  | "pausing"
  | "paused"
  | "cancelling"
  | "cancelled"
  | "completed"
  | "completed_with_exceptions"
  | "failed";

export const JOB_STATES: readonly JobState[] = [
  "queued",
  "running",
  "waiting",
  "pausing",
  "paused",
  "cancelling",
  "cancelled",
  "completed",
  "completed_with_exceptions",
  "failed",
];

export type JobAction = "pause" | "resume" | "cancel" | "retry" | "approve";

export const JOB_ACTIONS: readonly JobAction[] = ["pause", "resume", "cancel", "retry", "approve"];

export type WaitReason = "window" | "approval" | "grace" | "throttled" | "database";

/** What a job waits for; every wait has a reason and, where it is known, an end. */
export interface Waiting {
  readonly reason: WaitReason;
  /** Epoch milliseconds. */
  readonly since: number;
  /** Epoch milliseconds, or null when nobody can know. */
  readonly until: number | null;
  readonly detail: string;
}

/** `go` is the state to change to, `same` an accepted repetition, null a refusal (409). */
type Transition = { readonly go: JobState } | "same" | null;

const go = (state: JobState): Transition => ({ go: state });

/**
 * | state \ action            | pause   | resume | cancel     | retry  | approve |
 * |---------------------------|---------|--------|------------|--------|---------|
 * | queued                    | paused  | same   | cancelled  | same   | same    |
 * | running, waiting          | pausing | same   | cancelling | same   | same    |
 * | pausing                   | same    | queued | cancelling | –      | same    |
 * | paused                    | same    | queued | cancelled  | queued | same    |
 * | cancelling                | –       | –      | same       | –      | –       |
 * | cancelled                 | –       | –      | same       | –      | –       |
 * | completed                 | –       | –      | –          | same   | same    |
 * | completed_with_exceptions | –       | –      | –          | queued | same    |
 * | failed                    | –       | queued | cancelled  | queued | same    |
 *
 * `retry` of a job that is at work already is a repetition: its exceptions were taken up, or it has not ended yet.
 * `approve` never changes the state by itself: the delete stage asks the ledger for the approval.
 * Resuming a job that is still pausing queues it: its runner stops, and the next claim goes on.
 */
const TABLE: Readonly<Record<JobState, Readonly<Record<JobAction, Transition>>>> = {
  queued: { pause: go("paused"), resume: "same", cancel: go("cancelled"), retry: "same", approve: "same" },
  running: { pause: go("pausing"), resume: "same", cancel: go("cancelling"), retry: "same", approve: "same" },
  waiting: { pause: go("pausing"), resume: "same", cancel: go("cancelling"), retry: "same", approve: "same" },
  pausing: { pause: "same", resume: go("queued"), cancel: go("cancelling"), retry: null, approve: "same" },
  paused: {
    pause: "same",
    resume: go("queued"),
    cancel: go("cancelled"),
    retry: go("queued"),
    approve: "same",
  },
  cancelling: { pause: null, resume: null, cancel: "same", retry: null, approve: null },
  cancelled: { pause: null, resume: null, cancel: "same", retry: null, approve: null },
  completed: { pause: null, resume: null, cancel: null, retry: "same", approve: "same" },
  completed_with_exceptions: {
    pause: null,
    resume: null,
    cancel: null,
    retry: go("queued"),
    approve: "same",
  },
  failed: {
    pause: null,
    resume: go("queued"),
    cancel: go("cancelled"),
    retry: go("queued"),
    approve: "same",
  },
};

/** What `action` does to a job in `state`. */
export function transitionFor(action: JobAction, state: JobState): Transition {
  return TABLE[state][action];
}

/** Whether nothing more will happen to a job in `state` unless somebody acts. */
export function isFinished(state: JobState): boolean {
  return (
    state === "completed" ||
    state === "completed_with_exceptions" ||
    state === "failed" ||
    state === "cancelled"
  );
}

/** Whether a scheduler should take a job in `state` up (first time, or after a crash or restart). */
export function isRunnable(state: JobState): boolean {
  return (
    state === "queued" ||
    state === "running" ||
    state === "waiting" ||
    state === "pausing" ||
    state === "cancelling"
  );
}
