/** Limits that an engine on AWS cannot hold: refused, since functions that ignore one would be worse than no job. Pure. */

import type { Fault } from "../errors.ts";
import type { JobSpec, Limits } from "../job-spec.ts";

/**
 * Requests a second are bounded by the least time of an invocation, concurrency ÷ rate; a function ends after 60 s, of
 * which the copy needs the rest.
 */
const LONGEST_INVOCATION_SECONDS = 30;

/** The faults of the limits of a job with an engine on AWS; `store` has those that all jobs on its store share. */
export function engineLimitFaults(
  spec: JobSpec,
  store: { readonly requestsPerSecond: number | null; readonly bytesPerSecond: number | null } | null,
): Fault[] {
  const own = limitSets(spec).flatMap(({ pointer, given, limits }) => [
    ...byteFaults(pointer, given),
    ...rateFaults(pointer, limits),
    ...(spec.lambda?.updates === "function" ? rowFaults(pointer, given) : []),
  ]);
  const updates = spec.lambda?.updates === "function" ? updateFaults(spec) : [];
  return [...own, ...updates, ...(store === null ? [] : sharedFaults(spec, store))];
}

interface LimitSet {
  readonly pointer: string;
  /** What is written at the pointer. */
  readonly given: Partial<Limits>;
  /** What holds with it. */
  readonly limits: Limits;
}

/** The job's limits, and those of each window that has its own. */
function limitSets({ limits, windows }: JobSpec): LimitSet[] {
  const ofWindows = (windows?.open ?? []).flatMap(({ limits: given }, i) =>
    given === null ? [] : [{ pointer: `/windows/open/${i}/limits`, given, limits: { ...limits, ...given } }],
  );
  return [{ pointer: "/limits", given: limits, limits }, ...ofWindows];
}

function limitFault(pointer: string, message: string): Fault {
  return { pointer, message, code: "engine_limit" };
}

function byteFaults(pointer: string, { bytesPerSecond = null }: Partial<Limits>): Fault[] {
  if (bytesPerSecond === null) return [];
  const message =
    "cannot be held by functions that copy independently of one another; limit requestsPerSecond instead, or copy by " +
    '"service"';
  return [limitFault(`${pointer}/bytesPerSecond`, message)];
}

function rateFaults(pointer: string, { concurrency, requestsPerSecond }: Limits): Fault[] {
  if (requestsPerSecond === null) return [];
  const seconds = concurrency / requestsPerSecond;
  if (seconds <= LONGEST_INVOCATION_SECONDS) return [];
  const most = Math.floor(requestsPerSecond * LONGEST_INVOCATION_SECONDS);
  const message =
    `cannot be held with a concurrency of ${concurrency}: each invocation would have to last ${Math.ceil(seconds)} s, and ` +
    `${LONGEST_INVOCATION_SECONDS} s are possible; ` +
    (most >= 1 ? `lower the concurrency to ${most}` : "raise it");
  return [limitFault(`${pointer}/requestsPerSecond`, message)];
}

function rowFaults(pointer: string, { rowsPerSecond = null }: Partial<Limits>): Fault[] {
  if (rowsPerSecond === null) return [];
  const message =
    'cannot be held where functions update rows; leave "updates" to the service, which holds it';
  return [limitFault(`${pointer}/rowsPerSecond`, message)];
}

/** Guards and windows that functions which update rows cannot obey. */
function updateFaults({ guards: { database }, windows, onConflict }: JobSpec): Fault[] {
  const faults: Fault[] = [];
  if (onConflict === "overwrite") {
    const message =
      'cannot be "overwrite" where functions update rows: the application may write to a new key as soon as a row names it, and ' +
      'an object that the service has to look at again would be replaced; leave "updates" to the service';
    faults.push(limitFault("/onConflict", message));
  }
  for (const name of ["maxReplicaLagSeconds", "maxLockWaits"] as const) {
    if ((database?.[name] ?? null) === null) continue;
    const message =
      'is not seen by functions that update rows (they watch running threads only); leave "updates" to the service';
    faults.push(limitFault(`/guards/database/${name}`, message));
  }
  if (windows?.stages.includes("update") && !windows.stages.includes("copy")) {
    const message =
      'has update without copy: functions update rows as they copy; add copy, or leave "updates" to the service';
    faults.push(limitFault("/windows/stages", message));
  }
  return faults;
}

function sharedFaults(
  { source }: JobSpec,
  store: { readonly requestsPerSecond: number | null; readonly bytesPerSecond: number | null },
): Fault[] {
  return (["requestsPerSecond", "bytesPerSecond"] as const)
    .filter((name) => store[name] !== null)
    .map((name) =>
      limitFault(
        "/engine",
        `the limit stores.${source.store}.limits.${name}, which all jobs on the store share, cannot be held by functions`,
      ),
    );
}
