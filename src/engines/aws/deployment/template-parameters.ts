/** The template's parameters, and the conditions made from them. */

import { isGiven, isListGiven, type Json, type Parameter, ref } from "./cloudformation.ts";

const BUCKET = "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$";
/** `*`, `?` and `$` have a meaning in policies and would widen the grants. */
const PREFIX = "^[^*?$]*$";
const PREFIX_RULE = "no *, ? or $; give a shorter prefix";
const KEY_ARN = "^(|arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/.+)$";
const LIST_OF_IDS = "Comma-separated; empty: the functions are not in a VPC";

/** The folder of the configuration's `manifests.prefix` unless it says otherwise. */
export const USUAL_MANIFESTS_PREFIX = "tranship/";
/** The table's name unless the configuration says otherwise. */
export const USUAL_TABLE = "Copy_Logs";

const text = (Description: string, Default?: string, rule: Partial<Parameter> = {}): Parameter => ({
  Type: "String",
  Description,
  ...(Default === undefined ? {} : { Default }),
  ...rule,
});

const bucket = (description: string) => text(description, undefined, { AllowedPattern: BUCKET });
const prefix = (description: string, usual = "") =>
  text(description, usual, { AllowedPattern: PREFIX, ConstraintDescription: PREFIX_RULE });
const kmsKey = (description: string) => text(description, "", { AllowedPattern: KEY_ARN });

export const PARAMETERS: Readonly<Record<string, Parameter>> = {
  CodeBucket: bucket("Bucket of the functions' packages, in the stack's Region"),
  CodePrefix: prefix("Where tranship aws package has put them", "tranship/"),
  SourceBucket: bucket("Bucket A, whose objects are copied"),
  SourcePrefix: prefix("The functions may read objects under this prefix only"),
  TargetBucket: bucket("Bucket B, in the stack's Region"),
  TargetPrefix: prefix("The functions may write objects under this prefix only"),
  ManifestsBucket: bucket("Bucket of manifests and reports, in the stack's Region"),
  ManifestsPrefix: prefix("As manifests.prefix in the configuration", USUAL_MANIFESTS_PREFIX),
  SourceKmsKey: kmsKey("ARN of the key that encrypts bucket A; empty: none"),
  TargetKmsKey: kmsKey("ARN of the key that encrypts bucket B; empty: none"),
  ServiceRole: text(
    "Name of the role under which the service runs; empty: attach ServicePolicy yourself",
    "",
  ),
  CopyLogsTable: text("As copyLogs in the configuration", USUAL_TABLE, {
    AllowedPattern: "^[A-Za-z0-9_.-]{3,255}$",
  }),
  CopyConcurrency: {
    Type: "Number",
    Description:
      "Invocations of the copying function at once; 0 reserves none. An account must keep 100 unreserved",
    Default: 0,
    MinValue: 0,
    MaxValue: 10_000,
  },
  EventConcurrency: {
    Type: "Number",
    Description: "Invocations at once of the function that takes events",
    Default: 5,
    MinValue: 2,
    MaxValue: 1000,
  },
  LogRetentionDays: {
    Type: "Number",
    Description: "Days for which the functions' logs are kept",
    Default: 30,
    AllowedValues: [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731],
  },
  AlarmTopic: text("ARN of an SNS topic that is told of dead letters; empty: the alarm sends nothing", ""),
  SubnetIds: {
    Type: "CommaDelimitedList",
    Description: `Subnets from which functions reach the database (updates: function). ${LIST_OF_IDS}`,
    Default: "",
  },
  SecurityGroupIds: {
    Type: "CommaDelimitedList",
    Description: `Security groups of the functions in these subnets. ${LIST_OF_IDS}`,
    Default: "",
  },
  DatabaseSecret: text(
    "ARN of the secret whose text is the database's address, mysql://... (updates: function); empty: functions update no rows",
    "",
  ),
  DatabaseName: text("Name of that database in the service's configuration, as jobs have it", ""),
  Revision: text(
    "Change it together with SubnetIds, SecurityGroupIds or the database: a published version keeps its settings",
    "1",
    { AllowedPattern: "^[A-Za-z0-9.-]{1,40}$" },
  ),
};

export const CONDITIONS: { readonly [name: string]: Json } = {
  HasSourceKmsKey: isGiven("SourceKmsKey"),
  HasTargetKmsKey: isGiven("TargetKmsKey"),
  HasServiceRole: isGiven("ServiceRole"),
  HasAlarmTopic: isGiven("AlarmTopic"),
  HasDatabaseSecret: isGiven("DatabaseSecret"),
  InVpc: isListGiven("SubnetIds"),
  ReservesConcurrency: { "Fn::Not": [{ "Fn::Equals": [ref("CopyConcurrency"), 0] }] },
};
