/** How many requests of a job may be under way at once; can be changed while it runs. */

import pLimit from "p-limit";
import { hasCode } from "../domain/errors.ts";

export interface Concurrency {
  /** Runs `task` as soon as a place is free, in order of asking. */
  run<Result>(task: () => Promise<Result>): Promise<Result>;
  /** New number of places, at least 1; running tasks are never cut short. */
  resize(places: number): void;
}

/** A limiter with `places` places. */
export function limitConcurrency(places: number): Concurrency {
  const limit = pLimit(places);
  return {
    run: (task) => limit(task),
    resize: (next) => {
      limit.concurrency = Math.max(1, next);
    },
  };
}

/** Runs all tasks to their end, then throws the first error that tells more than "asked to stop". */
export async function runAll(tasks: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(tasks);
  const errors = results.flatMap((result) =>
    result.status === "rejected" ? [result.reason as unknown] : [],
  );
  if (errors.length > 0) throw errors.find((error) => !hasCode(error, "stopped")) ?? errors[0];
}
