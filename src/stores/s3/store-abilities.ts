/** What a store turned out to be unable to do; shared by all jobs on it, so that it is asked only once. */

import { S3Fault } from "./s3-errors.ts";

/** Learned from a store's answers. */
export interface StoreAbilities {
  /** Whether copies may carry `If-None-Match: *`. */
  copyIfAbsent: boolean;
}

/** A store that has not refused anything yet. */
export function allAbilities(): StoreAbilities {
  return { copyIfAbsent: true };
}

/**
 * Calls `attempt` with the condition where it is wanted and known, and once more without it when the store says that
 * it does not implement that. The caller has looked at the target before, so only a narrow race stays open.
 */
export function withIfAbsent<Result>(
  abilities: StoreAbilities,
  wanted: boolean,
  attempt: (ifNoneMatch: "*" | undefined) => Promise<Result>,
): Promise<Result> {
  if (!wanted || !abilities.copyIfAbsent) return attempt(undefined);
  return attempt("*").catch(async (error: unknown) => {
    if (!(error instanceof S3Fault) || error.kind !== "not_implemented") throw error;
    const result = await attempt(undefined);
    abilities.copyIfAbsent = false;
    return result;
  });
}
