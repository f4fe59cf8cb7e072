/** `tranship pause`, `resume`, `cancel`, `approve` and `retry`: one idempotent request each. */

import type { JobAction } from "../../domain/job-state.ts";
import type { JobView } from "../../jobs/view/job-view.ts";
import type { Command } from "../command.ts";
import type { OptionSpec } from "../command-arguments.ts";
import { EXIT } from "../exit-code.ts";
import { jobLine } from "../rendering/summary-text.ts";
import { jobPath, SERVICE_OPTIONS, serviceClient } from "../service-options.ts";

const SUMMARIES: Readonly<Record<JobAction, string>> = {
  pause: "let a job finish what is under way, then hold it",
  resume: "let a paused or failed job go on",
  cancel: "end a job; what was moved stays moved",
  approve: "allow a job to delete the sources it has verified",
  retry: "try the exceptions of a job again",
};

const IGNORE_WINDOW: OptionSpec = {
  name: "ignore-window",
  value: null,
  description: "work outside the job's windows too, until they open next",
};

const ORDER: readonly JobAction[] = ["pause", "resume", "cancel", "approve", "retry"];

/** A command for each action, in the order of the help. */
export const actionCommands: readonly Command[] = ORDER.map((action) => ({
  name: action,
  summary: SUMMARIES[action],
  operands: ["ID"],
  options: action === "resume" ? [...SERVICE_OPTIONS, IGNORE_WINDOW] : SERVICE_OPTIONS,
  details: [
    "Exit code 0 when the service took it, 2 when it refused it, 1 otherwise. Repeating it is harmless.",
  ],
  async run(given, context) {
    const [id = ""] = given.operands;
    const client = serviceClient(given, context);
    const job = await client.send<JobView>({
      method: "POST",
      path: `${jobPath(id)}/${action}`,
      ...(action === "resume" && given.has(IGNORE_WINDOW.name) ? { body: { ignoreWindow: true } } : {}),
    });
    context.output.out(given.json ? `${JSON.stringify(job)}\n` : jobLine(job));
    return EXIT.completed;
  },
}));
