/** `tranship watch`: follows a job of a running service to its end. */

import { isFinished } from "../../domain/job-state.ts";
import { type JobView, summaryOf } from "../../jobs/view/job-view.ts";
import { type ApiClient, ServiceProblem, ServiceUnreachable } from "../api-client.ts";
import type { Command, CommandContext } from "../command.ts";
import { EXIT, exitCodeOfState } from "../exit-code.ts";
import { startProgressDisplay } from "../rendering/progress-display.ts";
import { summaryText } from "../rendering/summary-text.ts";
import { jobPath, SERVICE_OPTIONS, serviceClient } from "../service-options.ts";

const POLL_MS = 1_000;
/** Time for which an unreachable service is retried: a restart or a deployment takes less. */
const MOST_AWAY_MS = 300_000;

export const watchCommand: Command = {
  name: "watch",
  summary: "follow a job to its end, with a progress bar",
  operands: ["ID"],
  options: SERVICE_OPTIONS,
  details: [
    "Exit code by the state the job ends in; 1 when it is paused with a reason. Ctrl-C ends the watching (exit",
    "code 1), not the job.",
    "With --json the last line of stdout is the summary.",
  ],
  async run(given, context) {
    const [id = ""] = given.operands;
    const client = serviceClient(given, context);
    const stop = context.stopSignal();
    const { output, environment, clock } = context;
    const display = startProgressDisplay({ output, environment, json: given.json, now: () => clock.now() });
    let view: JobView;
    try {
      view = await follow(id, client, stop, context, (latest) => display.update(latest));
    } finally {
      display.stop();
    }
    if (isStopped(view)) {
      output.err(`tranship: the job is paused. Again, once it was resumed: tranship watch ${id}\n`);
    } else if (!isFinished(view.state)) {
      output.err(`tranship: no longer watching; the job goes on. Again: tranship watch ${id}\n`);
    }
    output.out(given.json ? `${JSON.stringify(summaryOf(view))}\n` : summaryText(view));
    return isFinished(view.state) ? exitCodeOfState(view.state) : EXIT.failed;
  },
};

/** Polls the job until it has ended or `stop` aborts; gives its last view. */
async function follow(
  id: string,
  client: ApiClient,
  stop: AbortSignal,
  { clock }: CommandContext,
  onView: (view: JobView) => void,
): Promise<JobView> {
  let view: JobView | null = null;
  let seenAt = clock.now();
  for (;;) {
    try {
      view = await client.send<JobView>({ method: "GET", path: jobPath(id) });
      seenAt = clock.now();
      onView(view);
    } catch (error) {
      if (view === null || !isPassing(error) || clock.now() - seenAt > MOST_AWAY_MS) throw error;
    }
    if (view !== null && (isFinished(view.state) || isStopped(view) || stop.aborted)) return view;
    await clock.sleep(POLL_MS, stop);
  }
}

/** Whether the job paused itself, so that it needs an operator; a pause by an operator has no reason. */
function isStopped({ state, reason }: JobView): boolean {
  return state === "paused" && reason !== null;
}

function isPassing(error: unknown): boolean {
  if (error instanceof ServiceProblem) return error.status >= 500 || error.status === 429;
  return error instanceof ServiceUnreachable;
}
