/** The states of a job, and what an operator's actions do in each, as a table. */

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

export type WaitReason = "window" | "approval" | "grace" | "throttled" | "database" | "engine";

/** What a job waits for, with the reason and, where it is known, the end. */
export interface Waiting {
  readonly reason: WaitReason;
  /** Epoch milliseconds. */
  readonly since: number;
  /** Epoch milliseconds, or null when it is unknown. */
  readonly until: number | null;
  readonly detail: string;
}

/** `go` is the state to change to, `same` an accepted repetition without effect, null a refusal (409). */
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
 * `retry` of a job that is queued or running is a repetition: its exceptions were planned again, or it has not ended yet.
 * `approve` never changes the state: the gate before deletions reads the approval from the ledger.
 * Resuming a job that is still pausing queues it: its runner stops, and the next claim continues it.
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

/** Whether a job in `state` changes only by an operator's action. */
export function isFinished(state: JobState): boolean {
  return (
    state === "completed" ||
    state === "completed_with_exceptions" ||
    state === "failed" ||
    state === "cancelled"
  );
}

/** Whether a scheduler should claim a job in `state` (the first time, or after a crash or restart). */
export function isRunnable(state: JobState): boolean {
  return (
    state === "queued" ||
    state === "running" ||
    state === "waiting" ||
    state === "pausing" ||
    state === "cancelling"
  );
}
