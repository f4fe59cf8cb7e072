/** `tranship submit`: submits a job to a running service. */

import { randomUUID } from "node:crypto";
import type { JobView } from "../../jobs/view/job-view.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { readJobFile } from "../read-job-file.ts";
import { printable } from "../rendering/display-width.ts";
import { jobLine } from "../rendering/summary-text.ts";
import { SERVICE_OPTIONS, serviceClient } from "../service-options.ts";

export const submitCommand: Command = {
  name: "submit",
  summary: "give a job to a running service",
  operands: ["JOB.json"],
  options: [
    ...SERVICE_OPTIONS,
    {
      name: "idempotency-key",
      value: "KEY",
      description: "submitting again with the same key gives the same job (default: a random one)",
    },
  ],
  details: ["Exit code 0 when the service took it, 2 when it refused it (with every fault), 1 otherwise."],
  async run(given, context) {
    const [file = ""] = given.operands;
    const client = serviceClient(given, context);
    const body = await readJobFile(file, context);
    const key = given.value("idempotency-key") ?? randomUUID();
    const job = await client.send<JobView>({
      method: "POST",
      path: "/jobs",
      body,
      headers: { "idempotency-key": key },
    });
    context.output.out(given.json ? `${JSON.stringify(job)}\n` : jobLine(job));
    if (!given.json) context.output.err(`Watch it: tranship watch ${printable(job.id)}\n`);
    return EXIT.completed;
  },
};
