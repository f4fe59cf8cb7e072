/** What the engine `lambda-copy-log` adds: the table, the queue of bucket B's events, and the alarm on dead letters. */

import { attribute, type Resource, ref, sub, when } from "./cloudformation.ts";
import { EVENT_TIMEOUT_SECONDS } from "./template-functions.ts";

const DAY_SECONDS = 86_400;
/** The least that Lambda's documentation asks of a queue: six times the function's time. */
const VISIBILITY_FACTOR = 6;
/** Deliveries of a message before it is a dead letter. */
const MOST_DELIVERIES = 5;

export function copyLogResources(): Readonly<Record<string, Resource>> {
  return {
    CopyLogs: {
      Type: "AWS::DynamoDB::Table",
      DeletionPolicy: "Retain",
      UpdateReplacePolicy: "Retain",
      Properties: {
        TableName: ref("CopyLogsTable"),
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: [{ AttributeName: "Key", AttributeType: "S" }],
        KeySchema: [{ AttributeName: "Key", KeyType: "HASH" }],
      },
    },
    DeadLetters: {
      Type: "AWS::SQS::Queue",
      Properties: {
        QueueName: sub`${ref("AWS::StackName")}-copied-dead`,
        MessageRetentionPeriod: 14 * DAY_SECONDS,
      },
    },
    CopiedQueue: {
      Type: "AWS::SQS::Queue",
      Properties: {
        QueueName: sub`${ref("AWS::StackName")}-copied`,
        MessageRetentionPeriod: 4 * DAY_SECONDS,
        VisibilityTimeout: VISIBILITY_FACTOR * EVENT_TIMEOUT_SECONDS,
        RedrivePolicy: {
          deadLetterTargetArn: attribute("DeadLetters", "Arn"),
          maxReceiveCount: MOST_DELIVERIES,
        },
      },
    },
    CopiedQueuePolicy: {
      Type: "AWS::SQS::QueuePolicy",
      Properties: {
        Queues: [ref("CopiedQueue")],
        PolicyDocument: {
          Version: "2012-10-17",
          Statement: [
            {
              Sid: "EventsOfTargetBucket",
              Effect: "Allow",
              Principal: { Service: "s3.amazonaws.com" },
              Action: "sqs:SendMessage",
              Resource: attribute("CopiedQueue", "Arn"),
              Condition: {
                ArnEquals: { "aws:SourceArn": sub`arn:${ref("AWS::Partition")}:s3:::${ref("TargetBucket")}` },
                StringEquals: { "aws:SourceAccount": ref("AWS::AccountId") },
              },
            },
          ],
        },
      },
    },
    CopiedEvents: {
      Type: "AWS::Lambda::EventSourceMapping",
      Properties: {
        EventSourceArn: attribute("CopiedQueue", "Arn"),
        FunctionName: ref("LandedFunction"),
        BatchSize: 100,
        MaximumBatchingWindowInSeconds: 5,
        FunctionResponseTypes: ["ReportBatchItemFailures"],
        ScalingConfig: { MaximumConcurrency: ref("EventConcurrency") },
      },
    },
    DeadLettersAlarm: {
      Type: "AWS::CloudWatch::Alarm",
      Properties: {
        AlarmDescription:
          "Events of bucket B that could not be taken. Nothing is lost by it: their objects are looked at in the bucket",
        Namespace: "AWS/SQS",
        MetricName: "ApproximateNumberOfMessagesVisible",
        Dimensions: [{ Name: "QueueName", Value: attribute("DeadLetters", "QueueName") }],
        Statistic: "Maximum",
        Period: 300,
        EvaluationPeriods: 1,
        Threshold: 0,
        ComparisonOperator: "GreaterThanThreshold",
        TreatMissingData: "notBreaching",
        AlarmActions: when("HasAlarmTopic", [ref("AlarmTopic")]),
      },
    },
  };
}
