/** Completion reports: what is believed, and what is not. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  checkReport,
  type ReportObjects,
  type ReportRow,
  reportRows,
} from "../../src/engines/aws/completion-report.ts";
import { encodeTask } from "../../src/engines/aws/copy-task.ts";
import {
  CAPTURED,
  md5,
  type ReportedTask,
  type ReportStyle,
  reportFiles,
} from "../support/aws/report-files.ts";

const AT = { bucket: "ops", path: "tranship/job/1", jobId: "b2f9f42d" };
const DIRECTORY = "tranship/job/1/job-b2f9f42d";

function copied(key: string, etag = "9e107d9d372bb6826bd81d3542a419d6"): ReportedTask {
  const message = JSON.stringify({ kind: "copied", etag });
  return { bucket: "A", key, succeeded: true, httpStatus: 200, errorCode: "", message };
}

function failed(
  key: string,
  message = 'Lambda returned function error: {"errorMessage":"no"}',
): ReportedTask {
  return { bucket: "A", key, succeeded: false, httpStatus: 200, errorCode: "PermanentFailure", message };
}

/** Bodies in chunks of 7 bytes, so that characters, quotes and line ends are cut. */
function objectsOf(files: ReadonlyMap<string, Buffer>): ReportObjects {
  return {
    async open(key, etag) {
      const body = files.get(key);
      if (body === undefined || (etag !== undefined && md5(body) !== etag)) return null;
      return { etag: md5(body), body: chunks(body) };
    },
  };
}

async function* chunks(body: Buffer) {
  for (let at = 0; at < body.length; at += 7) yield body.subarray(at, at + 7);
}

async function read(files: ReadonlyMap<string, Buffer>, tasks: number, path = AT.path) {
  const objects = objectsOf(files);
  const report = await checkReport(objects, { ...AT, path, tasks });
  if (!("files" in report)) return report.because;
  const rows: ReportRow[] = [];
  for await (const row of reportRows(objects, report)) rows.push(row);
  return rows;
}

function resultKey(files: ReadonlyMap<string, Buffer>): string {
  return [...files.keys()].find((key) => key.endsWith(".csv"))!;
}

const TASKS = [copied("one"), failed("two"), copied("three")];

describe("a completion report", () => {
  it.each<Partial<ReportStyle>>([
    {},
    { columns: "documented" },
    { newline: "\n" },
    { versionId: "\\N" },
    { versionId: "null", columns: "documented" },
    { withManifestSum: false },
  ])("is read whatever its style: %o", async (style) => {
    const rows = await read(reportFiles(AT, TASKS, { ...CAPTURED, ...style }), 3);
    expect(rows).toEqual([
      { key: "one", succeeded: true, errorCode: "", message: TASKS[0]!.message },
      { key: "three", succeeded: true, errorCode: "", message: TASKS[2]!.message },
      { key: "two", succeeded: false, errorCode: "PermanentFailure", message: TASKS[1]!.message },
    ]);
  });

  it("is read as captured, with a row of the documentation", async () => {
    const csv =
      "example-source-bucket,null-b.txt,null,succeeded,200,,success\r\n" +
      "example-source-bucket,verify-test/null-version-req2.txt,\\N,failed,500,SrcObjectNotFound,Object versionID is invalid\r\n" +
      'awsexamplebucket1,image_14975,,failed,200,PermanentFailure,"Lambda returned function error: {""errorMessage"":""Task timed out after 3.00 seconds""}"\r\n';
    const files = reportFiles(AT, [copied("one")], CAPTURED);
    const changed = replaceResult(files, Buffer.from(csv));
    expect(await read(changed, 3)).toEqual([
      { key: "null-b.txt", succeeded: true, errorCode: "", message: "success" },
      {
        key: "verify-test/null-version-req2.txt",
        succeeded: false,
        errorCode: "SrcObjectNotFound",
        message: "Object versionID is invalid",
      },
      {
        key: "image_14975",
        succeeded: false,
        errorCode: "PermanentFailure",
        message: 'Lambda returned function error: {"errorMessage":"Task timed out after 3.00 seconds"}',
      },
    ]);
  });

  it("is found behind a doubled slash", async () => {
    const files = reportFiles({ ...AT, path: "tranship/job/1/" }, TASKS, CAPTURED);
    expect([...files.keys()][0]).toContain("tranship/job/1//job-");
    expect(await read(files, 3)).toHaveLength(3);
  });

  it("takes no answer from a succeeded row whose HTTP status is not 2xx", async () => {
    const files = reportFiles(
      AT,
      [{ ...copied("one"), httpStatus: 500, errorCode: "InternalError" }],
      CAPTURED,
    );
    expect(await read(files, 1)).toMatchObject([
      { key: "one", succeeded: false, errorCode: "InternalError" },
    ]);
  });

  it("leaves out rows with too few or too many columns, and counts them", async () => {
    const files = reportFiles(AT, [copied("one")], CAPTURED);
    const csv = Buffer.from(
      `A,two,,succeeded,200\r\nA,three,,succeeded,200,,x,y\r\n\r\nA,four,,succeeded,200,,x\r\n`,
    );
    expect(await read(replaceResult(files, csv), 3)).toMatchObject([{ key: "four" }]);
  });

  describe("is not believed", () => {
    it.each<[string, (files: Map<string, Buffer>) => unknown, RegExp]>([
      ["when it has not come", (files) => files.clear(), /there is none/],
      [
        "when its manifest is cut off",
        (files) => cut(files, `${DIRECTORY}/manifest.json`),
        /manifest is not one/,
      ],
      [
        "when its manifest disagrees with the sum of it",
        (files) => files.set(`${DIRECTORY}/manifest.json.md5`, Buffer.from("0".repeat(32))),
        /manifest is not one/,
      ],
      ["when a file of it has not come", (files) => files.delete(resultKey(files)), /missing/],
      ["when a file of it is cut off", (files) => cut(files, resultKey(files)), /not CSV/],
      ["when a file of it ends one row early", (files) => dropRow(files), /checksum/],
      [
        "when a file of it is no CSV",
        (files) => replaceInto(files, Buffer.from('A,"one"two,,succeeded,200,,x\r\n')),
        /not CSV/,
      ],
      [
        "when it names a file elsewhere",
        (files) => rename(files, "tranship/job/2/job-b2f9f42d"),
        /not one of this job/,
      ],
      [
        "when it names a file of another job",
        (files) => rename(files, "tranship/job/1/job-other"),
        /not one of this job/,
      ],
      ["when it names another bucket", (files) => edit(files, '"ops"', '"other"'), /not one of this job/],
      [
        "when its manifest holds no list",
        (files) => edit(files, '"Results"', '"Other"'),
        /not one of this job/,
      ],
    ])("%s", async (_, damage, because) => {
      const files = reportFiles(AT, [copied("one"), copied("two"), copied("three")], CAPTURED);
      damage(files);
      expect(await read(files, 3)).toMatch(because);
    });

    it.each([2, 4])("when %i tasks have ended and it has 3 rows", async (tasks) => {
      expect(await read(reportFiles(AT, TASKS, CAPTURED), tasks)).toMatch(/3 rows for/);
    });
  });

  it("gives no row of a file that was replaced after it was checked", async () => {
    const files = reportFiles(AT, TASKS, CAPTURED);
    const objects = objectsOf(files);
    const report = await checkReport(objects, { ...AT, tasks: 3 });
    if (!("files" in report)) throw new Error(report.because);
    for (const key of files.keys()) files.set(key, Buffer.from("A,k,,succeeded,200,,x\r\n"));
    for await (const row of reportRows(objects, report)) expect(row).toBeUndefined();
  });

  it("gives back any keys and messages, byte for byte, and nothing when any byte is changed", async () => {
    const style = fc.record<ReportStyle>({
      columns: fc.constantFrom("emitted", "documented"),
      newline: fc.constantFrom("\r\n", "\n"),
      versionId: fc.constantFrom("", "null", "\\N"),
      withManifestSum: fc.boolean(),
    });
    const tasks = fc.array(
      fc.record({
        key: fc.string({ unit: "grapheme", minLength: 1 }),
        message: fc.string({ unit: "binary-ascii", maxLength: 50 }),
        ok: fc.boolean(),
      }),
      { minLength: 1, maxLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(
        tasks,
        style,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async (all, how, place, flip) => {
          const told = all.map(({ key, message, ok }, number): ReportedTask => {
            const field = encodeTask({
              number,
              etag: "e",
              size: 1,
              storageClass: null,
              replacing: null,
              key,
            });
            return ok ? { ...copied(field), message: message || "-" } : failed(field, message || "-");
          });
          const files = reportFiles(AT, told, how);
          const rows = await read(files, told.length);
          const sorted = [
            ...told.filter((task) => task.succeeded),
            ...told.filter((task) => !task.succeeded),
          ];
          expect(rows).toEqual(
            sorted.map(({ key, succeeded, errorCode, message }) => ({ key, succeeded, errorCode, message })),
          );
          const damaged = [...files.keys()].filter((key) => key.endsWith(".csv"))[0]!;
          const body = Buffer.from(files.get(damaged)!);
          body[place % body.length]! ^= flip;
          files.set(damaged, body);
          expect(await read(files, told.length)).toMatch(/checksum|not CSV/);
        },
      ),
      { numRuns: 60 },
    );
  });
});

function cut(files: Map<string, Buffer>, key: string) {
  files.set(key, files.get(key)!.subarray(0, files.get(key)!.length - 9));
  files.delete(`${DIRECTORY}/manifest.json.md5`);
}

function dropRow(files: Map<string, Buffer>) {
  const key = resultKey(files);
  const lines = files.get(key)!.toString().split("\r\n");
  files.set(key, Buffer.from(lines.slice(1).join("\r\n")));
}

/** Changes the manifest, with a sum that agrees. */
function edit(files: Map<string, Buffer>, from: string, to: string) {
  const manifest = Buffer.from(files.get(`${DIRECTORY}/manifest.json`)!.toString().replaceAll(from, to));
  files.set(`${DIRECTORY}/manifest.json`, manifest);
  files.set(`${DIRECTORY}/manifest.json.md5`, Buffer.from(md5(manifest)));
}

/** Moves the first file of results, and has the manifest name it there. */
function rename(files: Map<string, Buffer>, directory: string) {
  const key = resultKey(files);
  files.set(key.replace(DIRECTORY, directory), files.get(key)!);
  edit(files, `${DIRECTORY}/results`, `${directory}/results`);
}

/** Another body for the only file of results, with the checksum that agrees. */
function replaceInto(files: Map<string, Buffer>, body: Buffer) {
  const key = resultKey(files);
  const before = md5(files.get(key)!);
  files.set(key, body);
  edit(files, before, md5(body));
}

function replaceResult(files: Map<string, Buffer>, body: Buffer): Map<string, Buffer> {
  replaceInto(files, body);
  return files;
}
