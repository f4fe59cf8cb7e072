/** A completion report as S3 Batch Operations writes it; see docs/aws/doubles-batch-operations.md. */

import { createHash } from "node:crypto";

/** A row for one task. */
export interface ReportedTask {
  readonly bucket: string;
  readonly key: string;
  readonly succeeded: boolean;
  readonly httpStatus: number;
  readonly errorCode: string;
  readonly message: string;
}

/** How reports differ from one another. */
export interface ReportStyle {
  /** `emitted`: HTTPStatusCode before ErrorCode, as captured; `documented`: as the report's own schema says. */
  readonly columns: "emitted" | "documented";
  readonly newline: "\r\n" | "\n";
  readonly versionId: "" | "null" | "\\N";
  readonly withManifestSum: boolean;
}

export const CAPTURED: ReportStyle = {
  columns: "emitted",
  newline: "\r\n",
  versionId: "",
  withManifestSum: true,
};

/** The line for `task`, without its end. */
export function reportLine(task: ReportedTask, style: ReportStyle): string {
  const codes = [String(task.httpStatus), task.errorCode];
  if (style.columns === "documented") codes.reverse();
  const status = task.succeeded ? "succeeded" : "failed";
  return [task.bucket, task.key, style.versionId, status, ...codes, quoted(task.message)].join(",");
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The files of a report by key: results of succeeded and of failed tasks apart, then the manifest that names them. */
export function reportFiles(
  at: { readonly bucket: string; readonly path: string; readonly jobId: string },
  tasks: Iterable<ReportedTask>,
  style: ReportStyle,
): Map<string, Buffer> {
  const lines = { succeeded: [] as string[], failed: [] as string[] };
  for (const task of tasks) lines[task.succeeded ? "succeeded" : "failed"].push(reportLine(task, style));
  const directory = `${at.path}/job-${at.jobId}`;
  const files = new Map<string, Buffer>();
  const results: object[] = [];
  for (const status of ["succeeded", "failed"] as const) {
    if (lines[status].length === 0) continue;
    const body = Buffer.from(lines[status].map((line) => line + style.newline).join(""));
    const name = createHash("sha1").update(`${at.jobId} ${status}`).digest("hex");
    const key = `${directory}/results/${name}.csv`;
    files.set(key, body);
    results.push({ TaskExecutionStatus: status, Bucket: at.bucket, MD5Checksum: md5(body), Key: key });
  }
  const manifest = Buffer.from(
    JSON.stringify({
      Format: "Report_CSV_20180820",
      ReportCreationDate: "2026-08-27T09:49:46.474712072Z",
      Results: results,
      ReportSchema: "Bucket, Key, VersionId, TaskStatus, ErrorCode, HTTPStatusCode, ResultMessage",
    }),
  );
  if (style.withManifestSum) files.set(`${directory}/manifest.json.md5`, Buffer.from(md5(manifest)));
  files.set(`${directory}/manifest.json`, manifest);
  return files;
}

export function md5(body: Buffer): string {
  return createHash("md5").update(body).digest("hex");
}
