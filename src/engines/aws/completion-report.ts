/**
 * The completion report of a Batch Operations job: a manifest `job-<id>/manifest.json` and CSV files that it names. It may
 * appear late or never. It is believed as a whole or not at all: checksums, places and the number of rows must agree.
 */

import { createHash, hash } from "node:crypto";
import { Readable } from "node:stream";
import { CsvError, parse } from "csv-parse";

/** Gives an object's body and ETag; null when there is no such object. With `etag` that version only. */
export interface ReportObjects {
  open(
    key: string,
    etag?: string,
  ): Promise<{ readonly etag: string; readonly body: AsyncIterable<Uint8Array> } | null>;
}

export interface ReportPlace {
  readonly bucket: string;
  /** As given to CreateJob. */
  readonly path: string;
  readonly jobId: string;
  /** Tasks that have ended, by the job's own count: one row for each. */
  readonly tasks: number;
}

/** A report whose files were read once and agree with its manifest. */
export interface CheckedReport {
  readonly files: readonly { readonly key: string; readonly etag: string }[];
}

/** Why there is no report to believe (yet); one clause. */
export interface NoReport {
  readonly because: string;
}

export interface ReportRow {
  /** As in the job's manifest, byte for byte. */
  readonly key: string;
  readonly succeeded: boolean;
  /** E.g. `PermanentFailure`; empty for succeeded tasks. */
  readonly errorCode: string;
  readonly message: string;
}

/** More is no manifest of a report. */
const MOST_MANIFEST_BYTES = 2 ** 20;
const MOST_ROW_BYTES = 65_536;

/** Reads the report at `place` once and checks it. Throws what `objects` throws. */
export async function checkReport(
  objects: ReportObjects,
  place: ReportPlace,
): Promise<CheckedReport | NoReport> {
  const found = await findManifest(objects, place);
  if (found === null) return { because: "there is none" };
  const results = resultsIn(found.text, place, found.directory);
  if (results === null) return { because: "its manifest is not one of this job" };
  const files: { readonly key: string; readonly etag: string }[] = [];
  let rows = 0;
  for (const { key, md5 } of results) {
    const file = await checkFile(objects, key, md5);
    if ("because" in file) return file;
    rows += file.rows;
    files.push({ key, etag: file.etag });
  }
  return rows === place.tasks
    ? { files }
    : { because: `it has ${rows} rows for ${place.tasks} tasks that have ended` };
}

async function checkFile(
  objects: ReportObjects,
  key: string,
  md5: string,
): Promise<{ readonly etag: string; readonly rows: number } | NoReport> {
  const file = await objects.open(key);
  if (file === null) return { because: "a file that its manifest names is missing" };
  const digest = createHash("md5");
  const rows = await countRows(digesting(file.body, digest));
  // S3 writes checksums in hexadecimal.
  if (rows === null) return { because: "a file of it is not CSV" };
  return digest.digest("hex") === md5.toLowerCase()
    ? { etag: file.etag, rows }
    : { because: "a file of it does not agree with its checksum" };
}

/** The rows of a report, in no order. A row that cannot be understood is left out; a file that has changed ends it early. */
export async function* reportRows(objects: ReportObjects, report: CheckedReport): AsyncGenerator<ReportRow> {
  for (const { key, etag } of report.files) {
    const file = await objects.open(key, etag);
    if (file === null) return;
    for await (const fields of csvRows(file.body)) {
      const row = rowOf(fields);
      if (row !== null) yield row;
    }
  }
}

/** The manifest; S3 writes a doubled slash after a path that ends in one. */
async function findManifest(objects: ReportObjects, { path, jobId }: ReportPlace) {
  for (const slash of ["/", "//"]) {
    const directory = `${path}${slash}job-${jobId}/`;
    const object = await objects.open(`${directory}manifest.json`);
    if (object === null) continue;
    const text = await textOf(object.body);
    const sum = await objects.open(`${directory}manifest.json.md5`);
    const md5 = sum === null ? null : (await textOf(sum.body)).trim();
    const isTorn = md5 !== null && /^[0-9a-f]{32}$/i.test(md5) && hash("md5", text) !== md5.toLowerCase();
    return { directory, text: isTorn ? "" : text };
  }
  return null;
}

/** The files that the manifest `text` names; null when it is none of the job's. */
function resultsIn(
  text: string,
  { bucket }: ReportPlace,
  directory: string,
): { readonly key: string; readonly md5: string }[] | null {
  const results = (parsed(text) as { readonly Results?: unknown } | null)?.Results;
  if (!Array.isArray(results)) return null;
  const files: { readonly key: string; readonly md5: string }[] = [];
  for (const result of results as readonly Record<string, unknown>[]) {
    const { Bucket, Key, MD5Checksum } = result ?? {};
    const isOurs = Bucket === bucket && typeof Key === "string" && Key.startsWith(`${directory}results/`);
    if (!isOurs || typeof MD5Checksum !== "string") return null;
    files.push({ key: Key, md5: MD5Checksum });
  }
  return files;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MOST_MANIFEST_BYTES) return "";
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

async function* digesting(body: AsyncIterable<Uint8Array>, digest: ReturnType<typeof createHash>) {
  for await (const chunk of body) {
    digest.update(chunk);
    yield chunk;
  }
}

/** Null when `body` is not CSV. */
async function countRows(body: AsyncIterable<Uint8Array>): Promise<number | null> {
  let rows = 0;
  try {
    for await (const _ of csvRows(body)) rows += 1;
    return rows;
  } catch (error) {
    if (error instanceof CsvError) return null;
    throw error;
  }
}

/** Records of a file that ends its lines by CRLF or LF and has no header. */
async function* csvRows(body: AsyncIterable<Uint8Array>): AsyncGenerator<string[]> {
  const source = Readable.from(body);
  const records = source.pipe(
    parse({ relax_column_count: true, skip_empty_lines: true, max_record_size: MOST_ROW_BYTES }),
  );
  // `pipe` does not forward errors: without this a failed read would look like the end of the file.
  source.on("error", (error) => records.destroy(error));
  try {
    yield* records as AsyncIterable<string[]>;
  } finally {
    source.destroy();
  }
}

const HTTP_STATUS = /^[1-5]\d\d$/;

/**
 * Bucket, Key, VersionId, TaskStatus, HTTPStatusCode, ErrorCode, ResultMessage; the report's own schema and the documentation
 * exchange the fifth and the sixth, so they are told apart by content. VersionId is empty, `null` or `\N`.
 */
function rowOf(fields: readonly string[]): ReportRow | null {
  if (fields.length !== 7) return null;
  const [, key = "", , status = "", fifth = "", sixth = "", message = ""] = fields;
  const [httpStatus, errorCode] = HTTP_STATUS.test(fifth) ? [fifth, sixth] : [sixth, fifth];
  const succeeded = status === "succeeded" && httpStatus.startsWith("2");
  return { key, succeeded, errorCode, message };
}
