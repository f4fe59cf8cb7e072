/** `parseJobSpec`: every kind of bad input is reported at its JSON pointer, and unknown fields are refused. */

import { describe, expect, it } from "vitest";
import { DomainError } from "../../../src/domain/errors.ts";
import { parseJobSpec } from "../../../src/jobs/submit/parse-job-spec.ts";
import { AVATARS } from "../../support/job-spec.ts";

const KNOWN = { stores: ["main", "second"], databases: ["app"] };
const REFERENCE = { database: "app", table: "images", key: "id", column: "path" };
const JOB = {
  source: { bucket: "bucket-a", prefix: "image/" },
  target: { bucket: "bucket-b", prefix: "avatar/" },
};
const withReference = (more: object) => ({ ...JOB, references: [{ ...REFERENCE, ...more }] });

/** The pointers of all faults of `input`, none when it is taken. */
function pointersOf(input: unknown): string[] {
  try {
    parseJobSpec(input, KNOWN);
    return [];
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    expect(error.code).toBe("invalid_input");
    for (const fault of error.faults) expect(fault.message).not.toBe("");
    return error.faults.map((fault) => fault.pointer);
  }
}

describe("a job that is right", () => {
  it("gets every default filled in", () => {
    expect(parseJobSpec(JOB, KNOWN)).toEqual({
      ...AVATARS,
      name: "bucket-a/image/ to bucket-b/avatar/",
    });
  });

  it("with references reads them, unless it says otherwise", () => {
    const spec = parseJobSpec(withReference({}), KNOWN);
    expect(spec.inventory).toEqual({ from: "database" });
    expect(spec.references).toEqual([
      { ...REFERENCE, set: {}, urlPrefix: null, where: {}, keepUpdatedAt: true },
    ]);
    expect(parseJobSpec({ ...withReference({}), inventory: { from: "bucket" } }, KNOWN).inventory.from).toBe(
      "bucket",
    );
  });

  it.each([
    ["a whole bucket to a prefix of another", { source: { bucket: "bucket-a" }, target: JOB.target }],
    [
      "prefixes that only share their beginning in different buckets",
      { ...JOB, target: { bucket: "bucket-b", prefix: "image/x/" } },
    ],
    ["separate prefixes in one bucket", { ...JOB, target: { bucket: "bucket-a", prefix: "avatar/" } }],
    ["a grace of nothing", { ...JOB, delete: { after: "0s" } }],
    ["a whole-number rate and none", { ...JOB, limits: { requestsPerSecond: 1, bytesPerSecond: null } }],
    [
      "hostile prefixes",
      {
        source: { bucket: "bucket-a", prefix: "%2F \u0001😀" },
        target: { bucket: "bucket-a", prefix: "//" },
      },
    ],
  ])("is taken: %s", (_, job) => {
    expect(pointersOf(job)).toEqual([]);
  });
});

const NUMBERS = [-1, 0, 1e99, Number.NaN, "5", Number.POSITIVE_INFINITY, true, [], {}] as const;

describe("numbers that cannot be", () => {
  it.each(NUMBERS)("%j is no limit", (value) => {
    for (const name of ["concurrency", "requestsPerSecond", "bytesPerSecond", "rowsPerSecond"]) {
      expect(pointersOf({ ...JOB, limits: { [name]: value } })).toEqual([`/limits/${name}`]);
    }
  });
  it.each([...NUMBERS, 1.5, 10_001])("%j is no batch size", (value) => {
    expect(pointersOf({ ...JOB, batchSize: value })).toEqual(["/batchSize"]);
  });
  it.each([-1, 0, 1.5, 1e99, "5"])("%j is no number of objects", (value) => {
    expect(pointersOf({ ...JOB, maxObjects: value })).toEqual(["/maxObjects"]);
  });
  it.each([-0.1, 1.1, "0.1", Number.NaN])("%j is no share", (value) => {
    expect(pointersOf({ ...JOB, guards: { maxExceptionRatio: value } })).toEqual([
      "/guards/maxExceptionRatio",
    ]);
  });
  it.each([1.5, 4097])("%j is no concurrency", (value) => {
    expect(pointersOf({ ...JOB, limits: { concurrency: value } })).toEqual(["/limits/concurrency"]);
  });
});

describe("input of the wrong shape", () => {
  it.each<[string, unknown, string[]]>([
    ["no object", "job", [""]],
    ["null", null, [""]],
    ["an array", [JOB], [""]],
    ["nothing in it", {}, ["/source", "/target"]],
    ["an unknown field", { ...JOB, sorce: 1 }, ["/sorce"]],
    ["an unknown field with a slash and a tilde", { ...JOB, "a/b~c": 1 }, ["/a~1b~0c"]],
    ["an unknown nested field", { ...JOB, source: { ...JOB.source, region: "x" } }, ["/source/region"]],
    ["an unknown field of a reference", withReference({ colum: "x" }), ["/references/0/colum"]],
    ["an unknown field of limits", { ...JOB, limits: { concurency: 1 } }, ["/limits/concurency"]],
    ["an unknown field of delete", { ...JOB, delete: { wen: "never" } }, ["/delete/wen"]],
    ["a missing bucket", { ...JOB, source: { prefix: "image/" } }, ["/source/bucket"]],
    [
      "a missing table",
      { ...JOB, references: [{ database: "app", key: "id", column: "p" }] },
      ["/references/0/table"],
    ],
    ["a name of no letters", { ...JOB, name: "" }, ["/name"]],
    ["a prefix that is a number", { ...JOB, target: { bucket: "bucket-b", prefix: 5 } }, ["/target/prefix"]],
    ["references that are no list", { ...JOB, references: REFERENCE }, ["/references"]],
    ["an unknown policy", { ...JOB, onConflict: "replace" }, ["/onConflict"]],
    ["an unknown proof", { ...JOB, verify: "md5" }, ["/verify"]],
    ["an unknown time of deletion", { ...JOB, delete: { when: "now" } }, ["/delete/when"]],
    ["an unknown engine", { ...JOB, engine: "batch" }, ["/engine"]],
    ["a set that holds an object", withReference({ set: { legacy: {} } }), ["/references/0/set/legacy"]],
  ])("is told at the right place: %s", (_, input, pointers) => {
    expect(pointersOf(input).sort()).toEqual([...pointers].sort());
  });

  it.each([
    "A-bucket",
    "a",
    "ab",
    "bucket_a",
    "-bucket",
    "bucket-",
    "b".repeat(64),
    "buck et",
    "bucket/a",
    "",
  ])("is told for the bucket name %j", (bucket) => {
    expect(pointersOf({ ...JOB, target: { bucket, prefix: "avatar/" } })).toEqual(["/target/bucket"]);
  });

  it.each([
    "ima`ges",
    'ima"ges',
    "ima'ges",
    "images; DROP TABLE x",
    "ima ges",
    "images--\n",
    "a.b",
    "",
    "x".repeat(65),
    "a\0",
  ])("is told for the identifier %j, wherever it stands", (name) => {
    expect(pointersOf(withReference({ table: name }))).toEqual(["/references/0/table"]);
    expect(pointersOf(withReference({ key: name }))).toEqual(["/references/0/key"]);
    expect(pointersOf(withReference({ column: name }))).toEqual(["/references/0/column"]);
    expect(pointersOf(withReference({ set: { [name]: 1 } }))[0]).toMatch(/^\/references\/0\/set/);
    expect(pointersOf(withReference({ where: { [name]: 1 } }))[0]).toMatch(/^\/references\/0\/where/);
  });

  it("tells every fault at once, not only the first", () => {
    const input = {
      ...withReference({ table: "a b" }),
      limits: { concurrency: 0 },
      batchSize: -1,
      colour: "red",
    };
    expect(pointersOf(input).sort()).toEqual([
      "/batchSize",
      "/colour",
      "/limits/concurrency",
      "/references/0/table",
    ]);
  });
});
