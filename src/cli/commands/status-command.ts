/** `tranship status`: the state of one job. */

import type { JobView } from "../../jobs/view/job-view.ts";
import type { Command } from "../command.ts";
import { exitCodeOfLook } from "../exit-code.ts";
import { statusText } from "../rendering/summary-text.ts";
import { jobPath, SERVICE_OPTIONS, serviceClient } from "../service-options.ts";

export const statusCommand: Command = {
  name: "status",
  summary: "where one job is",
  operands: ["ID"],
  options: SERVICE_OPTIONS,
  details: ["Exit code 0 while the job goes on; once it has ended, by its state."],
  async run(given, context) {
    const [id = ""] = given.operands;
    const job = await serviceClient(given, context).send<JobView>({ method: "GET", path: jobPath(id) });
    context.output.out(given.json ? `${JSON.stringify(job)}\n` : statusText(job, context.clock.now()));
    return exitCodeOfLook(job.state);
  },
};
