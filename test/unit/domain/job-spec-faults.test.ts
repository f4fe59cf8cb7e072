/** Rules between the fields of a job: names, places, columns and times that cannot go together. */

import { describe, expect, it } from "vitest";
import type { JobSpec, Windows } from "../../../src/domain/job-spec.ts";
import { specFaults } from "../../../src/domain/job-spec-faults.ts";
import { AVATARS } from "../../support/job-spec.ts";

const KNOWN = { stores: ["main", "second"], databases: ["app"] };
const REFERENCE = {
  database: "app",
  table: "images",
  key: "id",
  column: "path",
  set: {},
  urlPrefix: null,
  where: {},
  keepUpdatedAt: true,
};
const SPEC: JobSpec = {
  ...AVATARS,
  name: "n",
  references: [REFERENCE],
  limits: { ...AVATARS.limits, concurrency: 1 },
};

const pointers = (change: Partial<JobSpec>) =>
  specFaults({ ...SPEC, ...change }, KNOWN).map(({ pointer }) => pointer);
const at = (bucket: string, prefix: string, store = "main") => ({ store, bucket, prefix });

describe("a spec", () => {
  it("that is right has no faults", () => {
    expect(pointers({})).toEqual([]);
  });

  it.each<[string, Partial<JobSpec>, string[]]>([
    ["an unknown source store", { source: at("bucket-a", "image/", "mian") }, ["/source/store"]],
    ["an unknown target store", { target: at("bucket-b", "avatar/", "Main") }, ["/target/store"]],
    [
      "an unknown store of the manifest",
      { inventory: { from: "manifest", store: "x", bucket: "b", key: "k" } },
      ["/inventory/store"],
    ],
    ["an unknown database", { references: [{ ...REFERENCE, database: "prod" }] }, ["/references/0/database"]],
    ["the same place twice", { target: at("bucket-a", "image/") }, ["/target"]],
    ["the same whole bucket twice", { source: at("b", ""), target: at("b", "") }, ["/target"]],
    ["a target inside the source", { target: at("bucket-a", "image/new/") }, ["/target/prefix"]],
    ["a source inside the target", { target: at("bucket-a", "im") }, ["/target/prefix"]],
    [
      "a whole bucket into itself",
      { source: at("bucket-a", ""), target: at("bucket-a", "x/") },
      ["/target/prefix"],
    ],
    ["a part of a bucket onto its whole", { target: at("bucket-a", "") }, ["/target/prefix"]],
    [
      "a target prefix within the source's, where rows follow",
      { target: at("b", "image/v2/") },
      ["/target/prefix"],
    ],
    ["a source prefix within the target's, where rows follow", { target: at("b", "im") }, ["/target/prefix"]],
    [
      "a whole bucket to a prefix, where rows follow",
      { source: at("a", ""), target: at("b", "x/") },
      ["/target/prefix"],
    ],
    [
      "a target prefix that spells the source's within a URL",
      {
        ...{ source: at("a", "a b/"), target: at("b", "a%20b/") },
        references: [{ ...REFERENCE, urlPrefix: "https://cdn/" }],
      },
      ["/target/prefix"],
    ],
    ["a lone surrogate in the source prefix", { source: at("bucket-a", "\ud800") }, ["/source/prefix"]],
    ["a target prefix longer than a key", { target: at("bucket-b", "é".repeat(513)) }, ["/target/prefix"]],
    [
      "the database as inventory without a reference",
      { inventory: { from: "database" }, references: [] },
      ["/inventory/from"],
    ],
    [
      "one column named twice",
      { references: [REFERENCE, { ...REFERENCE, where: { a: 1 } }] },
      ["/references/1"],
    ],
    ["a key that is the column", { references: [{ ...REFERENCE, key: "path" }] }, ["/references/0/column"]],
    [
      "a key that is the column in other case",
      { references: [{ ...REFERENCE, key: "PATH" }] },
      ["/references/0/column"],
    ],
    [
      "a set of the column itself",
      { references: [{ ...REFERENCE, set: { path: "x" } }] },
      ["/references/0/set"],
    ],
    [
      "a set of the column in other case",
      { references: [{ ...REFERENCE, set: { Path: "x" } }] },
      ["/references/0/set"],
    ],
    ["a set of the key", { references: [{ ...REFERENCE, set: { id: 1 } }] }, ["/references/0/set"]],
  ])("with %s is told so at the right place", (_, change, expected) => {
    expect(pointers(change)).toEqual(expected);
  });

  it.each(["1 day", "-5s", "99999d", "5", "", "1h30m", "24H"])("with a grace of %j is told so", (after) => {
    expect(pointers({ delete: { when: "verified", after } })).toEqual(["/delete/after"]);
  });

  it.each([
    "yesterday",
    "2026-11-01",
    "2026-11-01T00:00:00",
    "2026-13-01T00:00:00Z",
    "2026-11-01 00:00:00Z",
    "1700000000",
  ])("with the instant %j is told so", (modifiedBefore) => {
    expect(pointers({ filter: { ...SPEC.filter, modifiedBefore } })).toEqual(["/filter/modifiedBefore"]);
  });

  it.each(["2026-11-01T00:00:00Z", "2026-11-01T00:00Z", "2026-11-01T00:00:00.123+02:00"])(
    "takes the instant %s",
    (modifiedBefore) => {
      expect(pointers({ filter: { ...SPEC.filter, modifiedBefore } })).toEqual([]);
    },
  );
});

describe("windows", () => {
  const windows = (change: Partial<Windows>): Partial<JobSpec> => ({
    windows: {
      timezone: "Africa/Cairo",
      open: [{ days: ["mon"], from: "22:00", to: "06:00", limits: null }],
      closed: [],
      stages: ["copy"],
      ...change,
    },
  });
  const open = (from: string, to: string) => windows({ open: [{ days: ["mon"], from, to, limits: null }] });

  it.each<[string, Partial<JobSpec>, string]>([
    ["an unknown zone", windows({ timezone: "Mars/Phobos" }), "/windows/timezone"],
    ["an offset for a zone", windows({ timezone: "+02:00" }), "/windows/timezone"],
    ["no length", open("10:00", "10:00"), "/windows/open/0"],
    ["a beginning at 24:00", open("24:00", "06:00"), "/windows/open/0/from"],
    [
      "a day that is not in the calendar",
      windows({ closed: ["2026-12-24", "2026-02-30"] }),
      "/windows/closed/1",
    ],
    ["a month that is not in the calendar", windows({ closed: ["2026-13-01"] }), "/windows/closed/0"],
    [
      "a closed date named twice",
      windows({ closed: ["2026-12-24", "2026-12-25", "2026-12-24"] }),
      "/windows/closed/2",
    ],
    [
      "no day",
      windows({ open: [{ days: [], from: "22:00", to: "06:00", limits: null }] }),
      "/windows/open/0/days",
    ],
    ["no window", windows({ open: [] }), "/windows/open"],
    ["no stage", windows({ stages: [] }), "/windows/stages"],
    [
      "more windows than the bound",
      windows({ open: Array(101).fill({ days: ["mon"], from: "22:00", to: "06:00", limits: null }) }),
      "/windows/open",
    ],
    [
      "more closed dates than the bound",
      windows({
        closed: Array.from({ length: 1001 }, (_, i) =>
          new Date(1.8e12 + i * 86_400_000).toISOString().slice(0, 10),
        ),
      }),
      "/windows/closed",
    ],
  ])("with %s are told so", (_, change, pointer) => {
    expect(pointers(change)).toContain(pointer);
  });

  it("that are right have no fault but that this version does not keep to them", () => {
    const right = windows({ closed: ["2026-12-24", "2026-12-25"] });
    expect(pointers(right).filter((pointer) => pointer !== "/windows")).toEqual([]);
  });
});
