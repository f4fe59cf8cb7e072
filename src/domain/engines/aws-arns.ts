/** ARNs of functions and roles, taken apart. Pure. */

/** A Lambda function's ARN. */
export interface FunctionArn {
  readonly partition: string;
  readonly region: string;
  /** Twelve digits. */
  readonly accountId: string;
  readonly name: string;
  /** A version, an alias or `$LATEST`; null: the ARN has none. */
  readonly qualifier: string | null;
}

/** An IAM role's ARN. */
export interface RoleArn {
  readonly partition: string;
  readonly accountId: string;
  /** With its path. */
  readonly name: string;
}

const FUNCTION =
  /^arn:(aws(?:-[a-z]+)*):lambda:([a-z]{2}(?:-[a-z]+)+-\d+):(\d{12}):function:([\w-]{1,140})(?::([\w$-]{1,128}))?$/;
const ROLE = /^arn:(aws(?:-[a-z]+)*):iam::(\d{12}):role\/((?:[!-.0-~]+\/)*[\w+=,.@-]{1,64})$/;

/** The parts of a function's ARN; null when `arn` is none. */
export function parseFunctionArn(arn: string): FunctionArn | null {
  const match = FUNCTION.exec(arn);
  if (match === null) return null;
  const [, partition = "", region = "", accountId = "", name = "", qualifier = null] = match;
  return { partition, region, accountId, name, qualifier };
}

/** The parts of a role's ARN; null when `arn` is none. */
export function parseRoleArn(arn: string): RoleArn | null {
  const match = ROLE.exec(arn);
  if (match === null) return null;
  const [, partition = "", accountId = "", name = ""] = match;
  return { partition, accountId, name };
}
