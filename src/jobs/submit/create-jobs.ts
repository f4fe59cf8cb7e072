/** `createJobs`: the implementation of `Jobs`, which HTTP and the command line call. */

import { ADVICE } from "../../domain/batch.ts";
import { DomainError } from "../../domain/errors.ts";
import type { JobRecord } from "../../ports/ledger.ts";
import { ignoreWindow } from "../ignore-window.ts";
import { actOnJob, foundJob } from "../job-control.ts";
import type { JobParts } from "../job-parts.ts";
import type { Jobs } from "../jobs.ts";
import { preflight } from "../preflight/preflight.ts";
import type { Scheduler } from "../run/scheduler.ts";
import { type JobView, viewOf } from "../view/job-view.ts";
import { amendJob } from "./amend-job.ts";
import { submitJob } from "./job-submission.ts";

/** Builds the use cases over `parts`; `scheduler` knows the jobs that run in this process. */
export function createJobs(parts: JobParts, scheduler: Scheduler): Jobs {
  const { ledger, clock } = parts;
  const view = async (record: JobRecord): Promise<JobView> => {
    const live = scheduler.running(record.id)?.live() ?? null;
    const tally = live?.tally ?? (await ledger.tally(record.id));
    return viewOf(record, tally, live, { now: clock.now(), calendar: parts.calendar });
  };
  const known = async (id: string): Promise<string> => (await foundJob(ledger, id)).id;
  return {
    async submit(input, by) {
      const { job, created } = await submitJob(parts, input, by);
      scheduler.lookForWork();
      return { job: await view(job), created };
    },
    preflight: (input, options) => preflight(parts, input, options),
    async list({ state, limit, cursor }) {
      const page = await ledger.jobs({ states: state === null ? null : [state], limit, cursor });
      return { items: await Promise.all(page.items.map(view)), next: page.next };
    },
    get: async (id) => view(await foundJob(ledger, id)),
    async act(id, action, actor, options = {}) {
      if (options.ignoreWindow === true) await ignoreWindow(parts, id, action, actor);
      const job = await actOnJob(parts, id, action, actor);
      scheduler.running(id)?.refreshNow();
      scheduler.lookForWork();
      return view(job);
    },
    async amend(id, input, by) {
      const job = await amendJob(parts, id, input, by);
      scheduler.running(id)?.refreshNow();
      return view(job);
    },
    batches: async (id, { cursor, limit }) => ledger.batches(await known(id), cursor, limit),
    async exceptions(id, { cursor, limit }) {
      const page = await ledger.exceptions(await known(id), cursor, limit);
      return { items: page.items.map((item) => ({ ...item, advice: ADVICE[item.code] })), next: page.next };
    },
    audit: async (id, { cursor, limit }) => ledger.audit(await known(id), cursor, limit),
    async object(id, key) {
      const history = await ledger.objectHistory(await known(id), key);
      if (history === null) {
        throw new DomainError("not_found", `job ${id} has not planned the key ${JSON.stringify(key)}`);
      }
      return history;
    },
    ready: () => ledger.ping(),
  };
}
