/** A store whose answers a test scripts, events as S3 sends them, and what a function is given beside them. */

import type { RowUpdates } from "../../../src/domain/engines/row-updates.ts";
import { type CopyTask, encodeTask } from "../../../src/engines/aws/copy-task.ts";
import { decodeOutcome } from "../../../src/engines/aws/task-outcome.ts";
import { encodeTerms, type JobTerms } from "../../../src/engines/aws/user-arguments.ts";
import { answerEvent } from "../../../src/lambda/answer-event.ts";
import type { CopyPorts, CopyStore } from "../../../src/lambda/copy-ports.ts";
import type { PlannedCopy } from "../../../src/lambda/planned-copy.ts";
import { S3Fault } from "../../../src/stores/s3/s3-errors.ts";
import { VirtualClock } from "../../support/clocks/virtual-clock.ts";

export const TERMS: JobTerms = {
  token: "job-1",
  sourceBucket: "from",
  sourcePrefix: "image/",
  targetBucket: "to",
  targetPrefix: "avatar/",
  notAfter: null,
  leastMs: 0,
  copyLogs: null,
  updates: null,
};

/** Of one table. */
export const UPDATES: RowUpdates = {
  references: [
    {
      ...{ database: "app", table: "images", key: "id", column: "path", urlPrefix: null },
      ...{ where: {}, set: {}, keepUpdatedAt: false },
    },
  ],
  maxThreadsRunning: null,
};

export const TASK: CopyTask = {
  number: 16_385,
  etag: "5d41402abc4b2a76b9719d911017c592",
  size: 5,
  storageClass: null,
  replacing: null,
  key: "image/a.jpg",
};

/** An error as the store answers it. */
export function fault(code: string, status: number | null): S3Fault {
  return new S3Fault({ code, status, message: "" }, "copying");
}

type Look = Awaited<ReturnType<CopyStore["lookAtTarget"]>>;

/** Answers with the scripted answers in turn, the last one again and again; a function may wait, an error is thrown. */
export class ScriptedStore implements CopyStore {
  copies: ((planned: PlannedCopy, signal: AbortSignal) => Promise<string> | string)[] = [
    ({ task }) => task.etag,
  ];
  looks: (() => Look)[] = [() => null];
  /** Requests sent, with the time of each. */
  readonly sent: { readonly request: "copy" | "look"; readonly planned: PlannedCopy; readonly at: number }[] =
    [];
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  async copy(planned: PlannedCopy, mayBegin: () => boolean, signal: AbortSignal): Promise<string> {
    if (!mayBegin()) throw fault("Timeout", null);
    return this.#next("copy", planned, this.copies)(planned, signal);
  }

  async lookAtTarget(planned: PlannedCopy): Promise<Look> {
    return this.#next("look", planned, this.looks)();
  }

  count(request: "copy" | "look"): number {
    return this.sent.filter((one) => one.request === request).length;
  }

  #next<Answer>(request: "copy" | "look", planned: PlannedCopy, answers: Answer[]): Answer {
    const answer = answers[Math.min(this.count(request), answers.length - 1)]!;
    this.sent.push({ request, planned, at: this.#clock.at });
    return answer;
  }
}

/** What throws `error`. */
export const refuse = (error: unknown) => () => {
  throw error;
};

/** An event of schema 2.0 with a task for each field. */
export function eventOf(fields: readonly string[], terms: JobTerms = TERMS, bucket = terms.sourceBucket) {
  return {
    invocationSchemaVersion: "2.0",
    invocationId: "invocation-1",
    job: { id: "job-id", userArguments: encodeTerms(terms) },
    tasks: fields.map((s3Key, n) => ({ taskId: `task-${n}`, s3Key, s3VersionId: null, s3Bucket: bucket })),
  };
}

/** A function's environment with virtual time. */
export function environment(more: Partial<CopyPorts> = {}) {
  const clock = new VirtualClock(1_000_000, "free");
  const store = new ScriptedStore(clock);
  const lines: Readonly<Record<string, unknown>>[] = [];
  const ports: CopyPorts = { store, clock, random: () => 0.5, log: (line) => lines.push(line), ...more };
  const answer = (event: unknown, remainingMs = 60_000) => answerEvent(ports, event, remainingMs);
  /** The only result of an event with one task. */
  const answerOne = async (
    task: Partial<CopyTask> = {},
    terms: Partial<JobTerms> = {},
    remainingMs = 60_000,
  ) => {
    const event = eventOf([encodeTask({ ...TASK, ...task })], { ...TERMS, ...terms });
    const [result] = (await answer(event, remainingMs)).results;
    const { resultCode, resultString } = result!;
    return { code: resultCode, outcome: decodeOutcome(resultString), text: resultString };
  };
  return { clock, store, lines, answer, answerOne };
}
