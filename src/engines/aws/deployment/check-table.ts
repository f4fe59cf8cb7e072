/** Checks the table of the engine `lambda-copy-log`. */

import { DescribeTableCommand } from "@aws-sdk/client-dynamodb";
import type { DeploymentFinding } from "../../../ports/deployment.ts";
import { attempt, type CheckParts, error, findingOf, type StepResult } from "./check-parts.ts";

/** Whether the table is there, ready, and has the key that the functions use. */
export function checkTable({ table, settings, signal }: CheckParts): Promise<StepResult> {
  const { copyLogs, accountId, region } = settings;
  return attempt(
    async () => {
      const command = new DescribeTableCommand({ TableName: copyLogs });
      const { Table } = await table.send(command, { abortSignal: signal });
      const findings: DeploymentFinding[] = [];
      const key = (Table?.KeySchema ?? []).map(({ AttributeName, KeyType }) => {
        const type = Table?.AttributeDefinitions?.find((one) => one.AttributeName === AttributeName);
        return `${AttributeName} ${type?.AttributeType} ${KeyType}`;
      });
      if (key.join() !== "Key S HASH") {
        const message = `${copyLogs} has the key ${key.join(", ") || "(none)"}; it must be Key, a string, alone`;
        findings.push(error("table_schema", message));
      }
      if (Table?.TableStatus !== "ACTIVE")
        findings.push(error("table_not_ready", `${copyLogs} is ${Table?.TableStatus ?? "in no state"}`));
      return { detail: `${copyLogs} is ${Table?.TableStatus ?? ""}`, findings };
    },
    (thrown) =>
      findingOf(
        thrown,
        "looking at the table",
        `dynamodb:DescribeTable on arn:aws:dynamodb:${region}:${accountId}:table/${copyLogs}`,
        { ResourceNotFoundException: error("table_missing", `there is no table ${copyLogs} in ${region}`) },
      ),
  );
}
