/** The files of a job's report, whole or with one of the faults that a reader must survive. */

import { decodeTask, encodeTask } from "../../../src/engines/aws/copy-task.ts";
import type { BatchVariations } from "./batch-variations.ts";
import { type ReportedTask, reportFiles } from "./report-files.ts";

/** `at.path`: as given to CreateJob. In the order in which they are written: the manifest is the last. */
export function reportedFiles(
  at: { readonly bucket: string; readonly path: string; readonly jobId: string },
  ended: Iterable<ReportedTask>,
  { report, style }: Pick<BatchVariations, "report" | "style">,
): Map<string, Buffer> {
  const tasks = report === "foreign" ? foreign(ended) : ended;
  const all = report === "short" ? withoutFirst(tasks) : tasks;
  const files = reportFiles(at, all, style);
  if (report !== "torn") return files;
  for (const [key, body] of files) {
    if (key.endsWith(".csv")) files.set(key, body.subarray(0, body.length / 2));
  }
  return files;
}

/** Rows with the numbers of this job's copies, of other objects: a report of another job under this one's name. */
function* foreign(tasks: Iterable<ReportedTask>): Generator<ReportedTask> {
  for (const task of tasks) {
    const copy = decodeTask(task.key);
    if (copy === null) throw new Error(`not a task: ${task.key}`);
    yield { ...task, key: encodeTask({ ...copy, key: `${copy.key}-of-another-job` }) };
  }
}

function* withoutFirst(tasks: Iterable<ReportedTask>): Generator<ReportedTask> {
  let count = 0;
  for (const task of tasks) if (count++ > 0) yield task;
}
