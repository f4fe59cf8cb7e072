/** Resolves a CloudFormation template as CloudFormation would: parameters, conditions, names and ARNs. */

import type { PlainTemplate } from "./cloudformation-faults.ts";

export const ACCOUNT = "123456789012";
export const REGION = "eu-central-1";
export const STACK = "tranship";

const PSEUDO: Readonly<Record<string, string>> = {
  "AWS::AccountId": ACCOUNT,
  "AWS::Partition": "aws",
  "AWS::Region": REGION,
  "AWS::StackName": STACK,
};

const ABSENT = Symbol("AWS::NoValue");

/** A policy document, resolved. */
export interface PolicyDocument {
  readonly Version: string;
  readonly Statement: readonly Statement[];
}

export interface Statement {
  readonly Sid: string;
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: unknown;
}

/** The properties of each resource of `template` with `parameters`, whose others have their default. */
export function resolvedResources(
  template: PlainTemplate,
  parameters: Readonly<Record<string, string>>,
): Readonly<Record<string, Readonly<Record<string, unknown>>>> {
  const resolve = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(resolve).filter((item) => item !== ABSENT);
    if (typeof node !== "object" || node === null) return node;
    const entries = Object.entries(node);
    const [[name, value] = ["", null]] = entries;
    if (entries.length === 1 && (name === "Ref" || name.startsWith("Fn::"))) return call(name, value);
    return Object.fromEntries(
      entries.map(([field, item]) => [field, resolve(item)] as const).filter(([, item]) => item !== ABSENT),
    );
  };
  const call = (name: string, value: unknown): unknown => {
    const given = value as readonly unknown[];
    if (name === "Ref") return referred(String(value));
    if (name === "Fn::GetAtt") return attribute(String(given[0]), String(given[1]));
    if (name === "Fn::Sub") return String(value).replaceAll(/\$\{([^}]+)\}/g, (_, at: string) => placed(at));
    if (name === "Fn::Join") return (resolve(given[1]) as string[]).join(String(given[0]));
    if (name === "Fn::Equals") return String(resolve(given[0])) === String(resolve(given[1]));
    if (name === "Fn::Not") return resolve(given[0]) !== true;
    if (name !== "Fn::If") throw new Error(`${name} is not resolved here`);
    return resolve(given[resolve(template.Conditions[String(given[0])]) === true ? 1 : 2]);
  };
  const placed = (at: string): string => {
    const [id = "", name] = at.split(".");
    return String(name === undefined ? referred(at) : attribute(id, name));
  };
  const referred = (name: string): unknown => {
    if (name === "AWS::NoValue") return ABSENT;
    if (name in PSEUDO) return PSEUDO[name];
    const parameter = template.Parameters[name];
    if (parameter === undefined) return attribute(name, "Ref");
    const value = parameters[name] ?? parameter.Default;
    if (value === undefined) throw new Error(`the parameter ${name} is missing`);
    return parameter.Type === "CommaDelimitedList" ? String(value).split(",") : value;
  };
  const attribute = (id: string, name: string): string => {
    const { Type, Properties } = template.Resources[id]!;
    const at = (property: string) => String(resolve(Properties[property]));
    const arns: Readonly<Record<string, () => string>> = {
      "AWS::Lambda::Function": () => `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${at("FunctionName")}`,
      "AWS::Logs::LogGroup": () => `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:${at("LogGroupName")}:*`,
      "AWS::DynamoDB::Table": () => `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${at("TableName")}`,
      "AWS::SQS::Queue": () => `arn:aws:sqs:${REGION}:${ACCOUNT}:${at("QueueName")}`,
      "AWS::IAM::Role": () => `arn:aws:iam::${ACCOUNT}:role/${STACK}-${id}`,
    };
    return name === "Arn" ? arns[Type]!() : `${id}.${name}`;
  };
  return Object.fromEntries(
    Object.entries(template.Resources).map(([id, { Properties }]) => [
      id,
      resolve(Properties) as Record<string, unknown>,
    ]),
  );
}
