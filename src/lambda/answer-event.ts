/** Answers an event of S3 Batch Operations by making the copies that its tasks ask for, one after the other. */

import { messageOf } from "../domain/errors.ts";
import { encodeOutcome } from "../engines/aws/task-outcome.ts";
import { decodeTerms, type JobTerms } from "../engines/aws/user-arguments.ts";
import {
  answerTo,
  type BatchAnswer,
  type BatchTask,
  type ResultCode,
  readEvent,
  schemaFault,
  type TaskAnswer,
} from "./batch-operations-event.ts";
import type { AfterCopy, CopyLog, CopyPorts } from "./copy-ports.ts";
import { type CopyEnd, lookForCopy, makeCopy } from "./make-copy.ts";
import { type PlannedCopy, planCopy } from "./planned-copy.ts";
import { RequestTimes } from "./request-times.ts";
import { STATEMENT_MS } from "./row-updater.ts";

/** Characters of the reason of a failed task at most. */
const MOST_REASON_CHARACTERS = 240;

/** What the tasks of one event have in common; nothing outlives the event. */
interface Work {
  readonly ports: CopyPorts;
  readonly terms: JobTerms;
  readonly copyLog: CopyLog | null;
  readonly updates: AfterCopy | null;
  readonly times: RequestTimes;
}

/**
 * The answer has a result for each task: `Succeeded` with a {@link TaskOutcome} for what depends on the object,
 * `TemporaryFailure` for what may pass, `PermanentFailure` for what is not understood. `remainingMs` is the time until the
 * function is ended. Throws `RangeError` for what is no event.
 */
export async function answerEvent(
  ports: CopyPorts,
  given: unknown,
  remainingMs: number,
): Promise<BatchAnswer> {
  const event = readEvent(given);
  const fault = schemaFault(event);
  const refuse = (reason: string) =>
    answerTo(
      event,
      event.tasks.map((task) => failed(ports, task, "PermanentFailure", reason)),
    );
  if (fault !== null) return refuse(fault);
  let work: Work;
  try {
    work = workOn(ports, decodeTerms(event.userArguments), remainingMs);
  } catch (error) {
    return refuse(messageOf(error));
  }
  const results: TaskAnswer[] = [];
  // One after the other: several at once would exceed the job's concurrency.
  for (const task of event.tasks) results.push(await answerTask(work, task));
  await work.times.end();
  return answerTo(event, results);
}

/** Throws `RangeError` where the terms ask for what this function does not have. */
function workOn(ports: CopyPorts, terms: JobTerms, remainingMs: number): Work {
  if (terms.copyLogs !== null && ports.copyLog === undefined)
    throw new RangeError("this function keeps no copy logs");
  if (terms.updates !== null && ports.updates === undefined)
    throw new RangeError("this function updates no rows");
  const times = new RequestTimes(ports.clock, ports.random, terms.leastMs, remainingMs);
  return {
    ...{ ports, terms, times },
    copyLog: terms.copyLogs === null ? null : (ports.copyLog?.(terms.copyLogs) ?? null),
    updates: afterCopies(ports, terms, times),
  };
}

function afterCopies({ updates, clock }: CopyPorts, terms: JobTerms, times: RequestTimes): AfterCopy | null {
  if (terms.updates === null || updates === undefined) return null;
  const { token, notAfter } = terms;
  return updates({
    token,
    updates: terms.updates,
    change: { from: terms.sourcePrefix, to: terms.targetPrefix },
    mayBegin: () => (notAfter === null || clock.now() < notAfter) && times.leftMs >= STATEMENT_MS,
  });
}

async function answerTask(work: Work, task: BatchTask): Promise<TaskAnswer> {
  const { ports } = work;
  let planned: PlannedCopy;
  try {
    planned = planCopy(work.terms, task);
  } catch (error) {
    return failed(ports, task, "PermanentFailure", messageOf(error));
  }
  try {
    const end = await copyOnce(work, planned);
    if (end.kind === "temporary") return failed(ports, task, "TemporaryFailure", end.reason);
    if (end.kind === "copied" && end.etag === planned.task.etag) await follow(work, planned, end.etag);
    return { taskId: task.taskId, resultCode: "Succeeded", resultString: encodeOutcome(end) };
  } catch (error) {
    return failed(ports, task, "TemporaryFailure", messageOf(error));
  }
}

async function copyOnce({ ports, terms, copyLog, times }: Work, planned: PlannedCopy): Promise<CopyEnd> {
  const { notAfter } = terms;
  // Before the record: a job that is over leaves none behind.
  if (notAfter !== null && ports.clock.now() >= notAfter) return { kind: "held" };
  const making = { ports, times, planned, repeatUntil: times.repeatUntil() };
  if (copyLog !== null && (await copyLog.begin(planned)) === "copied") return lookForCopy(making);
  return makeCopy(making, notAfter);
}

async function follow({ ports, updates }: Work, planned: PlannedCopy, etag: string): Promise<void> {
  try {
    await updates?.afterCopy(planned, etag);
  } catch (error) {
    ports.log({ event: "after_copy_failed", number: planned.task.number, reason: messageOf(error) });
  }
}

function failed(
  { log }: CopyPorts,
  { taskId }: BatchTask,
  resultCode: ResultCode,
  reason: string,
): TaskAnswer {
  log({ event: "task_failed", taskId, resultCode, reason });
  const resultString = reason.replaceAll(/[^\x20-\x7e]/g, " ").slice(0, MOST_REASON_CHARACTERS);
  return { taskId, resultCode, resultString };
}
