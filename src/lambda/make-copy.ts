/** Makes one copy, repeating what passes by itself, and says what became of it. */

import { messageOf } from "../domain/errors.ts";
import type { TaskOutcome } from "../engines/aws/task-outcome.ts";
import { copyFailure, isPassing } from "./copy-failure.ts";
import type { CopyPorts } from "./copy-ports.ts";
import type { PlannedCopy } from "./planned-copy.ts";
import type { RequestTimes } from "./request-times.ts";

/** `temporary`: nothing that depends on the object; S3 is to invoke the function for it again. */
export type CopyEnd = TaskOutcome | { readonly kind: "temporary"; readonly reason: string };

/** What the requests of one copy have in common. */
interface Making {
  readonly ports: Pick<CopyPorts, "store" | "clock">;
  readonly times: RequestTimes;
  readonly planned: PlannedCopy;
  /** Of {@link RequestTimes.repeatUntil}, for all requests together. */
  readonly repeatUntil: number;
}

/** How one request ended, after repetitions. */
type RequestEnd<Result> =
  | { readonly kind: "answered"; readonly result: Result }
  | { readonly kind: "refused"; readonly error: unknown }
  | { readonly kind: "held" }
  | { readonly kind: "temporary"; readonly reason: string };

const ALWAYS = () => true;

/**
 * Copies in one request. `notAfter` (epoch ms, null: none): no attempt begins at or after it. Never deletes, and replaces
 * nothing but what the task expects at the target.
 */
export async function makeCopy(making: Making, notAfter: number | null): Promise<CopyEnd> {
  const { ports, planned } = making;
  const { task } = planned;
  const mayBegin = () => notAfter === null || ports.clock.now() < notAfter;
  const end = await request(making, mayBegin, task.size, (signal) =>
    ports.store.copy(planned, mayBegin, signal),
  );
  if (end.kind === "answered") return { kind: "copied", etag: end.result };
  if (end.kind !== "refused") return end;
  const failure = copyFailure(end.error, task.replacing !== null);
  if (failure.kind === "outcome") return failure.outcome;
  return failure.kind === "look" ? lookForCopy(making) : { kind: "temporary", reason: messageOf(end.error) };
}

/**
 * `copied` when the object at the target has ETag and size of the planned version, as after an invocation whose answer was
 * lost; otherwise `precondition_failed`, and the service looks at source and target.
 */
export async function lookForCopy(making: Making): Promise<CopyEnd> {
  const { ports, planned } = making;
  const end = await request(making, ALWAYS, 0, (signal) => ports.store.lookAtTarget(planned, signal));
  if (end.kind === "temporary" || end.kind === "held") return end;
  const found = end.kind === "answered" ? end.result : null;
  const { etag, size } = planned.task;
  return found !== null && found.etag === etag && found.size === size
    ? { kind: "copied", etag }
    : { kind: "precondition_failed" };
}

/** Sends a request until it is answered, or refused for a reason that does not pass by itself. */
async function request<Result>(
  { times, repeatUntil }: Making,
  mayBegin: () => boolean,
  bytes: number,
  send: (signal: AbortSignal) => Promise<Result>,
): Promise<RequestEnd<Result>> {
  let reason = "the function's time was over";
  for (let count = 1; ; count += 1) {
    // The first attempt of a look after a copy that was repeated for long is always made.
    const until = count === 1 ? Number.POSITIVE_INFINITY : repeatUntil;
    if (!(await times.turn(until))) return { kind: "temporary", reason };
    if (!mayBegin()) return { kind: "held" };
    try {
      return { kind: "answered", result: await times.attempt(bytes, send) };
    } catch (error) {
      if (!isPassing(error)) return { kind: "refused", error };
      reason = messageOf(error);
    }
    if (!(await times.pause(count, repeatUntil))) return { kind: "temporary", reason };
  }
}
