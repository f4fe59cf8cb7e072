/** Checks the copying function and the account's limit, without invoking it. */

import { GetAccountSettingsCommand, GetFunctionConfigurationCommand } from "@aws-sdk/client-lambda";
import { parseFunctionArn } from "../../../domain/engines/aws-arns.ts";
import type { DeploymentFinding } from "../../../ports/deployment.ts";
import { attempt, type CheckParts, error, findingOf, type StepResult, warning } from "./check-parts.ts";

/** Concurrent executions that a new account has. */
const NEW_ACCOUNT_LIMIT = 10;

/** Whether the function and its version are there, ready, and end in time. */
export function checkFunction({ lambda, settings, signal }: CheckParts): Promise<StepResult> {
  const { copyFunction } = settings;
  const arn = parseFunctionArn(copyFunction);
  const missing = error(
    "function_missing",
    `${copyFunction} is not there: the function was not deployed, or this version was deleted; take the stack's output CopyFunction`,
  );
  return attempt(
    async () => {
      const findings: DeploymentFinding[] = [];
      if (arn?.qualifier === null || !/^\d+$/.test(arn?.qualifier ?? ""))
        findings.push(error("function_without_version", `${copyFunction} must end with a version's number`));
      const command = new GetFunctionConfigurationCommand({ FunctionName: copyFunction });
      const {
        State,
        StateReason,
        Timeout = 0,
        Runtime,
      } = await lambda.send(command, {
        abortSignal: signal,
      });
      // A function that was not invoked for long is inactive until it is invoked.
      if (State !== undefined && State !== "Active" && State !== "Inactive")
        findings.push(error("function_not_ready", `the function is ${State}: ${StateReason ?? ""}`));
      if (Timeout * 1000 > settings.functionTimeoutMs) {
        const mostSeconds = settings.functionTimeoutMs / 1000;
        const message = `an invocation may last ${Timeout} s, and the service waits ${mostSeconds} s for the last ones of a job: give functionTimeoutSeconds`;
        findings.push(error("function_timeout", message));
      }
      return { detail: `${arn?.name ?? ""} version ${arn?.qualifier ?? ""}, ${Runtime ?? ""}`, findings };
    },
    (thrown) =>
      findingOf(thrown, "looking at the function", `lambda:GetFunctionConfiguration on ${copyFunction}`, {
        ResourceNotFoundException: missing,
      }),
  );
}

/** The account's limit, which all its functions share. */
export function checkAccount({ lambda, signal }: CheckParts): Promise<StepResult> {
  return attempt(
    async () => {
      const { AccountLimit } = await lambda.send(new GetAccountSettingsCommand({}), { abortSignal: signal });
      const most = AccountLimit?.ConcurrentExecutions ?? 0;
      const detail = `the account runs ${most} invocations at once`;
      if (most > NEW_ACCOUNT_LIMIT) return { detail, findings: [] };
      const message = `${detail}, of all its functions together, as new accounts do: ask AWS for more (Service Quotas), or the copies take turns`;
      return { detail, findings: [warning("lambda_limit", message)] };
    },
    (thrown) => findingOf(thrown, "looking at the account", "lambda:GetAccountSettings"),
  );
}
