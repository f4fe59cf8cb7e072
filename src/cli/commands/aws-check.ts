/** `tranship aws check`: proves a deployment by a canary object. */

import type { DeploymentReport } from "../../ports/deployment.ts";
import type { Command } from "../command.ts";
import { CONFIG_OPTION } from "../config-option.ts";
import { withDeploymentOfJob } from "../deployment-options.ts";
import { EXIT } from "../exit-code.ts";
import { printable } from "../rendering/terminal-text.ts";

export const awsCheckCommand: Command = {
  name: "aws check",
  summary: "prove the deployment with a canary object",
  operands: ["JOB.json"],
  options: [
    CONFIG_OPTION,
    {
      name: "batch-operations",
      value: null,
      description: "also by a real job of one object, for the fee of a job; prints what was seen of it",
    },
  ],
  details: [
    "Looks at function, account, manifests, and for the engine lambda-copy-log at table and events; then writes one small",
    "object under the job's old prefix, has the function copy it, waits for its event, and removes all of it. Exit code 2",
    "when something is missing, with what and which right.",
  ],
  async run(given, context) {
    const report = await withDeploymentOfJob(given, context, (deployment, { source, target, engine }) =>
      deployment.check(
        { source, target },
        {
          batchOperations: given.has("batch-operations"),
          copyLog: engine !== "lambda",
          signal: context.stopSignal(),
        },
      ),
    );
    context.output.out(given.json ? `${JSON.stringify(report)}\n` : checkText(report));
    return report.ok ? EXIT.completed : EXIT.badInput;
  },
};

function checkText({ ok, steps, findings, seen }: DeploymentReport): string {
  const width = Math.max(...steps.map(({ name }) => name.length));
  const lines = [
    ...steps.map((step) => `${step.ok ? "ok" : "no"}  ${step.name.padEnd(width)}  ${printable(step.detail)}`),
    ...findings.map(({ severity, code, message }) => `${severity} ${code}: ${printable(message)}`),
    ok ? "the deployment works" : "the deployment does not work yet",
    ...(seen === null ? [] : [JSON.stringify(seen, null, 2)]),
  ];
  return `${lines.map((line) => line.trimEnd()).join("\n")}\n`;
}
