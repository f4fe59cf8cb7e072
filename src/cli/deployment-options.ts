/** Arguments that the commands of a deployment share. */

import type { JobSpec } from "../domain/job-spec.ts";
import { readJobSpec } from "../jobs/submit/parse-job-spec.ts";
import type { Deployment } from "../ports/deployment.ts";
import type { CommandContext } from "./command.ts";
import type { CommandArguments, OptionSpec } from "./command-arguments.ts";
import { givenConfig } from "./config-option.ts";
import { readJobFile } from "./read-job-file.ts";

export const APPLY_OPTION: OptionSpec = {
  name: "apply",
  value: null,
  description: "do it; without it the command only shows what it would do",
};

/** Calls `work` with the job of the command's first operand and the deployment of its store, which is closed afterwards. */
export async function withDeploymentOfJob<Result>(
  given: CommandArguments,
  context: CommandContext,
  work: (deployment: Deployment, spec: JobSpec) => Promise<Result>,
): Promise<Result> {
  const spec = readJobSpec(await readJobFile(given.operands[0] ?? "", context));
  return withDeployment(given, context, spec.target.store, (deployment) => work(deployment, spec));
}

/** Calls `work` with the deployment of `store`, which is closed afterwards. */
export async function withDeployment<Result>(
  given: CommandArguments,
  context: CommandContext,
  store: string,
  work: (deployment: Deployment) => Promise<Result>,
): Promise<Result> {
  const deployment = await context.openDeployment(givenConfig(given, context), store);
  try {
    return await work(deployment);
  } finally {
    deployment.close();
  }
}
