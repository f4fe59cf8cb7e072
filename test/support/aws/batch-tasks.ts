/** The tasks of a Batch Operations job: invokes the function for them, in any order, until all have ended or it is told to stop. */

import { randomUUID } from "node:crypto";
import type { BatchResponse, Invoke } from "./batch-event.ts";
import type { BatchVariations } from "./batch-variations.ts";
import type { ReportedTask } from "./report-files.ts";

interface Task {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  attempts: number;
  end: ReportedTask | null;
}

interface Verdict {
  readonly code: string;
  readonly message: string;
}

export class BatchTasks {
  succeeded = 0;
  failed = 0;
  readonly #tasks: readonly Task[];
  readonly #invoke: Invoke;
  readonly #job: { readonly id: string; readonly userArguments: Readonly<Record<string, string>> };
  readonly #variations: BatchVariations;
  readonly #random: () => number;
  readonly #open: Task[];
  #isStopped = false;
  #isClosed = false;
  #underWay = 0;

  constructor(
    lines: readonly (readonly [bucket: string, key: string])[],
    job: { readonly id: string; readonly userArguments: Readonly<Record<string, string>> },
    invoke: Invoke,
    variations: BatchVariations,
    random: () => number,
  ) {
    this.#tasks = lines.map(([bucket, key], at) => {
      const id = Buffer.from(`task ${at}`).toString("base64");
      return { id, bucket, key, attempts: 0, end: null };
    });
    this.#job = job;
    this.#invoke = invoke;
    this.#variations = variations;
    this.#random = random;
    this.#open = shuffled(this.#tasks, random);
  }

  get total(): number {
    return this.#tasks.length;
  }

  get underWay(): number {
    return this.#underWay;
  }

  /** The tasks that have ended, for the report. */
  *ended(): Generator<ReportedTask> {
    for (const { end } of this.#tasks) if (end !== null) yield end;
  }

  /** Begins no further invocation. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Counts no further result: the job has ended. */
  close(): void {
    this.#isClosed = true;
  }

  /** Resolves when all have ended, or after `stop` when what was under way has; `afterEach` is called after each invocation. */
  async run(afterEach: () => void): Promise<void> {
    const worker = async () => {
      while (!this.#isStopped && this.#open.length > 0) {
        await this.#invokeNext();
        afterEach();
      }
    };
    // A worker may put a task back after the others have found none.
    while (!this.#isStopped && this.#open.length > 0) {
      await Promise.all(Array.from({ length: this.#variations.concurrency }, worker));
    }
  }

  async #invokeNext(): Promise<void> {
    const most = 1 + Math.floor(this.#random() * this.#variations.tasksPerEvent);
    const tasks = this.#open.splice(-most);
    const isDoubled = this.#random() < this.#variations.duplicates;
    this.#underWay += 1;
    const answers = await Promise.all([this.#answersOf(tasks), isDoubled ? this.#answersOf(tasks) : null]);
    this.#underWay -= 1;
    if (this.#isClosed) return;
    const verdictOf = (isDoubled && this.#random() < 0.5 ? answers[1] : answers[0]) ?? answers[0];
    for (const task of tasks) this.#settle(task, verdictOf(task.id));
  }

  async #answersOf(tasks: readonly Task[]): Promise<(taskId: string) => Verdict> {
    const { space, redrivesErrors } = this.#variations;
    try {
      const response = await this.#invoke({
        invocationSchemaVersion: "2.0",
        invocationId: randomUUID(),
        job: this.#job,
        tasks: tasks.map(({ id, bucket, key }) => ({
          taskId: id,
          s3Key: key.replaceAll("%20", space),
          s3VersionId: null,
          s3Bucket: bucket,
        })),
      });
      return (taskId) => verdictIn(response, taskId);
    } catch (error) {
      const message = `Lambda returned function error: ${JSON.stringify({ errorMessage: String(error) })}`;
      return () => ({ code: redrivesErrors ? "TemporaryFailure" : "PermanentFailure", message });
    }
  }

  #settle(task: Task, { code, message }: Verdict): void {
    task.attempts += 1;
    if (code === "TemporaryFailure" && task.attempts <= this.#variations.redrives) {
      // Before the job completes: after all others.
      this.#open.unshift(task);
      return;
    }
    const succeeded = code === "Succeeded";
    const { bucket, key } = task;
    task.end = { bucket, key, succeeded, httpStatus: 200, errorCode: succeeded ? "" : code, message };
    if (succeeded) this.succeeded += 1;
    else this.failed += 1;
  }
}

function verdictIn(response: BatchResponse, taskId: string): Verdict {
  const result = response.results.find((one) => one.taskId === taskId);
  if (result === undefined) return { code: response.treatMissingKeysAs ?? "TemporaryFailure", message: "" };
  // Strings of failed tasks are ignored.
  const message = result.resultCode === "Succeeded" ? (result.resultString ?? "") : "";
  return { code: result.resultCode, message };
}

function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  const all = [...items];
  for (let at = all.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [all[at], all[other]] = [all[other] as Item, all[at] as Item];
  }
  return all;
}
