/** `tranship aws template`: prints the CloudFormation template of the deployment. */

import type { FunctionHashes } from "../../domain/function-package.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { packages } from "../function-packages.ts";

export const awsTemplateCommand: Command = {
  name: "aws template",
  summary: "print the CloudFormation template of the AWS engines",
  operands: [],
  options: [],
  details: [
    "One plain template, as JSON: functions, table, queues, roles, policies and an alarm. It belongs to the packages that",
    "tranship aws package of the same version writes. Needs no AWS.",
  ],
  async run(_, { output, deploymentTemplate }) {
    const hashes = Object.fromEntries(
      packages().map(({ name, sha256 }) => [name, { sha256 }]),
    ) as unknown as FunctionHashes;
    output.out(`${JSON.stringify(await deploymentTemplate(hashes), null, 2)}\n`);
    return EXIT.completed;
  },
};
