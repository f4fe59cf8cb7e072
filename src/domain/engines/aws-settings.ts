/** Settings of the AWS engines: what a store's `aws` section gives, its faults, and its complete form. */

import type { Fault } from "../errors.ts";
import { parseFunctionArn, parseRoleArn } from "./aws-arns.ts";
import type { AwsPrices } from "./aws-prices.ts";

/** URLs that replace those of AWS, for compatible services and tests. */
export interface AwsEndpoints {
  readonly s3control?: string;
  readonly dynamodb?: string;
  readonly lambda?: string;
}

/** The section as configured: either with all that an engine needs, or only with prices and the like. */
export interface AwsSection {
  readonly accountId?: string;
  readonly copyFunction?: string;
  readonly jobRole?: string;
  readonly manifests?: { readonly bucket: string; readonly prefix?: string };
  readonly copyLogs?: string;
  readonly functionTimeoutSeconds?: number;
  readonly prices?: Partial<AwsPrices>;
  readonly endpoints?: AwsEndpoints;
}

/** What an engine on AWS is given: all of it the operator's, none of it a job's. */
export interface AwsSettings {
  /** Twelve digits: of the function, the role and the Batch Operations jobs. */
  readonly accountId: string;
  /** The function's Region, which is the store's. */
  readonly region: string;
  /** ARN with a numeric version. */
  readonly copyFunction: string;
  /** ARN of the role that Batch Operations jobs assume. */
  readonly jobRole: string;
  /** Where manifests and reports are written; the prefix is empty or ends with `/`. */
  readonly manifests: { readonly bucket: string; readonly prefix: string };
  /** Name of the table of the engine `lambda-copy-log`. */
  readonly copyLogs: string;
  /** The copying function's timeout: an invocation that began before a job ended has ended this long after it. */
  readonly functionTimeoutMs: number;
  readonly endpoints: AwsEndpoints;
}

/** A store as engines on AWS see it. */
export interface AwsStore {
  /** Whether the store is AWS, by default or by its endpoint. */
  readonly isAws: boolean;
  /** Null: its configuration has no `aws` section, or one without what an engine needs. */
  readonly settings: AwsSettings | null;
  /** Prices of its `aws` section, which replace list prices; null without the section. */
  readonly prices: Partial<AwsPrices> | null;
}

const DEFAULT_TABLE = "Copy_Logs";
/** As the template has it. */
const DEFAULT_TIMEOUT_S = 60;
const DEFAULT_PREFIX = "tranship/";
/** A report's prefix has at most 512 characters, and the engine appends to the configured one. */
const LONGEST_PREFIX = 256;

const NEEDED = ["accountId", "copyFunction", "jobRole", "manifests"] as const;

/** The complete settings of a section without faults; null when it is absent or gives prices and the like only. */
export function awsSettings(section: AwsSection | undefined): AwsSettings | null {
  const { accountId, copyFunction, jobRole, manifests, copyLogs, functionTimeoutSeconds, endpoints } =
    section ?? {};
  if (accountId === undefined || copyFunction === undefined) return null;
  if (jobRole === undefined || manifests === undefined) return null;
  const region = parseFunctionArn(copyFunction)?.region;
  if (region === undefined) return null;
  return {
    ...{ accountId, region, copyFunction, jobRole },
    manifests: { prefix: DEFAULT_PREFIX, ...manifests },
    copyLogs: copyLogs ?? DEFAULT_TABLE,
    functionTimeoutMs: (functionTimeoutSeconds ?? DEFAULT_TIMEOUT_S) * 1000,
    endpoints: endpoints ?? {},
  };
}

/** The faults of the section of a store in `region` (undefined: from the environment); pointers begin after the section. */
export function awsFaults(section: AwsSection, region: string | undefined): Fault[] {
  return [
    ...missingFaults(section),
    ...functionFaults(section, region),
    ...roleFaults(section),
    ...placeFaults(section),
  ];
}

function missingFaults(section: AwsSection): Fault[] {
  const missing = NEEDED.filter((name) => section[name] === undefined);
  if (missing.length === NEEDED.length) return [];
  const message = `missing: an engine needs ${NEEDED.join(", ")} together`;
  return missing.map((name) => ({ pointer: `/${name}`, message }));
}

function functionFaults({ copyFunction, accountId }: AwsSection, region: string | undefined): Fault[] {
  if (copyFunction === undefined) return [];
  const fault = (message: string) => ({ pointer: "/copyFunction", message });
  const arn = parseFunctionArn(copyFunction);
  if (arn === null)
    return [fault("must be a function's ARN: arn:aws:lambda:REGION:ACCOUNT:function:NAME:VERSION")];
  const faults: Fault[] = [];
  if (arn.qualifier === null || !/^[1-9]\d*$/.test(arn.qualifier)) {
    const ending = arn.qualifier === null ? "has none" : "ends with another word";
    const message = `must end with a version's number, and ${ending}: an alias or $LATEST may change while a job runs`;
    faults.push(fault(message));
  }
  if (region !== undefined && arn.region !== region)
    faults.push(fault(`the function is in Region ${arn.region}, and the store in ${region}`));
  return [...faults, ...accountFaults("/copyFunction", "function", arn.accountId, accountId)];
}

function roleFaults({ jobRole, accountId, copyFunction }: AwsSection): Fault[] {
  if (jobRole === undefined) return [];
  const pointer = "/jobRole";
  const arn = parseRoleArn(jobRole);
  if (arn === null) return [{ pointer, message: "must be a role's ARN: arn:aws:iam::ACCOUNT:role/NAME" }];
  const faults = accountFaults(pointer, "role", arn.accountId, accountId);
  const partition = parseFunctionArn(copyFunction ?? "")?.partition ?? arn.partition;
  if (partition === arn.partition) return faults;
  const message = `the role is in partition ${arn.partition}, and the function in ${partition}`;
  return [...faults, { pointer, message }];
}

function accountFaults(pointer: string, what: string, its: string, accountId: string | undefined): Fault[] {
  if (accountId === undefined || its === accountId) return [];
  return [{ pointer, message: `the ${what} is in account ${its}, and accountId is ${accountId}` }];
}

/** Names whose characters S3 and DynamoDB take without encoding. */
function placeFaults({ accountId, manifests, copyLogs, endpoints = {} }: AwsSection): Fault[] {
  const faults: Fault[] = [];
  const check = (pointer: string, value: string | undefined, form: RegExp, message: string) => {
    if (value !== undefined && !form.test(value)) faults.push({ pointer, message });
  };
  check("/accountId", accountId, /^\d{12}$/, "must be an account's number, 12 digits");
  const bucket = "must be a bucket name: 3 to 63 lower-case letters, digits, dots and hyphens";
  check("/manifests/bucket", manifests?.bucket, /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, bucket);
  const prefix = `must be empty or end with /, with letters, digits, _ . - and / only, at most ${LONGEST_PREFIX} characters`;
  check(
    "/manifests/prefix",
    manifests?.prefix,
    new RegExp(`^(?=.{0,${LONGEST_PREFIX}}$)([\\w.-]+/)*$`),
    prefix,
  );
  const table = "must be a table's name (no ARN): 3 to 255 letters, digits, _ . and -";
  check("/copyLogs", copyLogs, /^[\w.-]{3,255}$/, table);
  for (const [name, url] of Object.entries(endpoints))
    check(`/endpoints/${name}`, url, /^https?:\/\/[^/]/, "must be a URL: http://… or https://…");
  return faults;
}
