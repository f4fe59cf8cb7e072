/** The XML of the S3 Control API, as far as the double speaks it. */

import { element } from "../../../src/sandbox-s3/protocol/xml.ts";
import { childText, readXml, type XmlNode } from "../../../src/sandbox-s3/protocol/xml-reader.ts";
import type { BatchJob, JobRequest } from "./batch-job.ts";

const NAMESPACE = "http://awss3control.amazonaws.com/doc/2018-08-20/";

export function document(root: string, content: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${NAMESPACE}">${content}</${root}>`;
}

export function errorDocument(code: string, message: string): string {
  const error = `<Error>${element("Code", code)}${element("Message", message)}</Error>`;
  return document("ErrorResponse", `${error}<RequestId>double</RequestId>`);
}

/** The request in a CreateJob body; throws where something that S3 requires is missing. */
export function readCreation(body: Buffer): JobRequest {
  const root = readXml(body);
  if (root.name !== "CreateJobRequest") throw new Error(`not a CreateJobRequest: ${root.name}`);
  const text = (...path: string[]) => {
    const node = path.slice(0, -1).reduce(child, root);
    const found = childText(node, path.at(-1) as string);
    if (found === undefined || found === "") throw new Error(`missing: ${path.join("/")}`);
    return found;
  };
  const object = /^arn:[^:]+:s3:::([^/]+)\/(.+)$/s.exec(text("Manifest", "Location", "ObjectArn"));
  const [, bucket = "", key = ""] = object ?? [];
  if (text("Report", "Enabled") !== "true") throw new Error("no report was asked for");
  return {
    token: text("ClientRequestToken"),
    description: childText(root, "Description") ?? "",
    confirmationRequired: childText(root, "ConfirmationRequired") !== "false",
    priority: Number(text("Priority")),
    roleArn: text("RoleArn"),
    functionArn: text("Operation", "LambdaInvoke", "FunctionArn"),
    schemaVersion: text("Operation", "LambdaInvoke", "InvocationSchemaVersion"),
    userArguments: readArguments(["Operation", "LambdaInvoke", "UserArguments"].reduce(child, root)),
    manifest: { bucket, key, etag: text("Manifest", "Location", "ETag") },
    report: {
      bucket: text("Report", "Bucket").replace(/^arn:[^:]+:s3:::/, ""),
      path: text("Report", "Prefix"),
      scope: text("Report", "ReportScope"),
    },
  };
}

function child(node: XmlNode, name: string): XmlNode {
  const found = node.children.find((one) => one.name === name);
  if (found === undefined) throw new Error(`missing: ${name}`);
  return found;
}

/** At most 10 of 1–1,024 characters, by names of at most 64. */
function readArguments(node: XmlNode): Record<string, string> {
  const entries = node.children.map((entry) => [childText(entry, "key"), childText(entry, "value")] as const);
  const isBad = ([key = "", value = ""]: (typeof entries)[number]) =>
    key === "" || key.length > 64 || value === "" || value.length > 1024;
  if (entries.length > 10 || entries.some(isBad)) throw new Error("UserArguments beyond their limits");
  return Object.fromEntries(entries) as Record<string, string>;
}

export function jobElements(job: BatchJob, tellsReason: boolean): string {
  const { total, succeeded, failed } = job.counts;
  const summary = [
    element("TotalNumberOfTasks", total),
    element("NumberOfTasksSucceeded", succeeded),
    element("NumberOfTasksFailed", failed),
  ].join("");
  const failure =
    job.failure === null
      ? ""
      : `<member>${element("FailureCode", job.failure.code)}${element("FailureReason", job.failure.reason)}</member>`;
  return [
    element("JobId", job.id),
    element("Description", job.request.description),
    element("Status", job.status),
    element("Priority", job.request.priority),
    element("CreationTime", new Date(job.createdAt).toISOString()),
    `<ProgressSummary>${summary}</ProgressSummary>`,
    `<FailureReasons>${failure}</FailureReasons>`,
    tellsReason && job.reason !== "" ? element("StatusUpdateReason", job.reason) : "",
  ].join("");
}
