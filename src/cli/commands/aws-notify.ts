/** `tranship aws notify`: wires the events of copies to the deployment's queue. */

import type { NotifyReport } from "../../ports/deployment.ts";
import type { Command } from "../command.ts";
import { CONFIG_OPTION } from "../config-option.ts";
import { APPLY_OPTION, withDeploymentOfJob } from "../deployment-options.ts";
import { EXIT } from "../exit-code.ts";
import { printable } from "../rendering/terminal-text.ts";

export const awsNotifyCommand: Command = {
  name: "aws notify",
  summary: "have the target bucket tell the queue of copies",
  operands: ["JOB.json"],
  options: [
    CONFIG_OPTION,
    APPLY_OPTION,
    {
      name: "queue",
      value: "ARN",
      description: "the queue (default: beside copyFunction, as the template names both)",
    },
  ],
  details: [
    "For the engine lambda-copy-log. S3 only replaces a bucket's notification configuration as a whole: this adds one entry",
    "for the job's new prefix, leaves those of others as they are, byte for byte, and reads back what it has written.",
    "Exit code 2, and nothing written, when an entry of others is in the way.",
  ],
  async run(given, context) {
    const queue = given.value("queue");
    const report = await withDeploymentOfJob(given, context, (deployment, { target }) =>
      deployment.notify(target, { apply: given.has("apply"), ...(queue === undefined ? {} : { queue }) }),
    );
    context.output.out(given.json ? `${JSON.stringify(report)}\n` : notifyText(report));
    return report.state === "refused" ? EXIT.badInput : EXIT.completed;
  },
};

function notifyText({ bucket, queue, state, added, replaced, others, reasons }: NotifyReport): string {
  const kept = `entries of ${bucket} that stay as they are: ${others}`;
  const entries = [
    ...replaced.map((entry) => `- ${printable(entry)}`),
    ...(added === null ? [] : [`+ ${printable(added)}`]),
  ];
  const lines: Readonly<Record<NotifyReport["state"], readonly string[]>> = {
    wired: [`${bucket} tells ${queue} already`],
    planned: [...entries, kept, "nothing was written: give --apply"],
    applied: [...entries, kept, `written, and read back: ${bucket} tells ${queue}`],
    refused: [
      `nothing was written: ${bucket} has entries in the way`,
      ...reasons.map((one) => `  ${printable(one)}`),
    ],
  };
  return `${lines[state].join("\n")}\n`;
}
