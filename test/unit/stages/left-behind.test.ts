/** The leftover scan before a job's end: what counts as a leftover, and its requests and statements. */

import { describe, expect, it } from "vitest";
import type { BatchObject, Outcome } from "../../../src/domain/batch.ts";
import type { JobSpec } from "../../../src/domain/job-spec.ts";
import { Relocation } from "../../../src/domain/relocation.ts";
import { limitConcurrency } from "../../../src/pacing/concurrency.ts";
import type { RateLimitedStore } from "../../../src/pacing/rate-limited-store.ts";
import type { LastPlanned } from "../../../src/ports/ledger.ts";
import type { ReferencedRow, ReferenceTable } from "../../../src/ports/reference-table.ts";
import { type LeftoverScan, planLeftBehind } from "../../../src/stages/inventory/left-behind.ts";
import type { PlanContext } from "../../../src/stages/stage-contexts.ts";
import { VirtualClock } from "../../support/clocks/virtual-clock.ts";
import { AVATARS } from "../../support/job-spec.ts";
import { listedBucket } from "../../support/listed-bucket.ts";
import { only } from "../../support/only.ts";

const MOVED: Outcome = { kind: "moved" };
const LOOK: LeftoverScan = { round: 1, most: Number.POSITIVE_INFINITY, fault: null, isOwn: () => false };

interface World {
  readonly keys?: readonly string[];
  readonly rows?: readonly string[];
  /** The ledger's content: by key, the batch and the outcome. */
  readonly known?: Readonly<Record<string, readonly [batch: number, outcome: Outcome]>>;
  readonly from?: "bucket" | "database" | "manifest";
  readonly spec?: Partial<JobSpec>;
}

/** A context for the scan; a statement takes a second. */
function contextOf({ keys = [], rows = [], known = {}, from = "bucket", spec = {} }: World) {
  const bucket = listedBucket(keys, { page: 10 });
  const clock = new VirtualClock(1_000_000, "free");
  const statements: string[] = [];
  const asked: number[] = [];
  const stored = rows.map((value, i): ReferencedRow => ({ id: String(i + 1), value }));
  const table = only<ReferenceTable>({
    async starting(prefix, most) {
      statements.push("starting");
      const found = stored.filter(({ value }) => value.startsWith(prefix));
      return found.length < most ? found : null;
    },
    async page(after, prefix, limit) {
      statements.push("page");
      clock.at += 1000;
      const found = stored.filter(({ id, value }) => Number(id) > Number(after) && value.startsWith(prefix));
      return found.slice(0, limit);
    },
    findRows: async () => [],
  });
  const job = { ...AVATARS, inventory: { from } as JobSpec["inventory"], batchSize: 7, ...spec };
  const context = only<PlanContext>({
    spec: job,
    relocation: new Relocation(job),
    source: only<RateLimitedStore>(bucket),
    references: [{ table, urlPrefix: null }],
    async lastPlanned(wanted) {
      asked.push(wanted.length);
      const found = wanted.flatMap((key): [string, LastPlanned][] => {
        const entry = known[key];
        if (entry === undefined) return [];
        const object = {
          key,
          size: 1,
          etag: "old",
          targetEtag: "copy",
          storageClass: null,
          modifiedAt: null,
          rows: [],
        };
        return [[key, { batch: entry[0], object: { ...object, outcome: entry[1] } as BatchObject }]];
      });
      return new Map(found);
    },
    clock,
    concurrency: limitConcurrency(4),
    filter: (rest: string) => !rest.startsWith("no"),
    signal: new AbortController().signal,
  });
  return { context, bucket, clock, statements, asked };
}

async function found(world: World, look: Partial<LeftoverScan> = {}) {
  const parts = contextOf(world);
  const batches: BatchObject[][] = [];
  for await (const { objects } of planLeftBehind(parts.context, { ...LOOK, ...look })) batches.push(objects);
  return { ...parts, batches, keys: batches.flat().map(({ key }) => key) };
}

describe("of what stands under the old prefix", () => {
  const keys = ["new", "gone/again", "mine", "kept", "twice", "no/wanted"].map((name) => `image/${name}`);
  const known: World["known"] = {
    "image/gone/again": [1, MOVED],
    "image/mine": [9, MOVED],
    "image/kept": [1, { kind: "exception", code: "needs_restore", message: "" }],
    "image/twice": [1, { kind: "pending" }],
  };

  it("the new and the moved that are there again are left behind, and what this look has planned itself is not", async () => {
    const { batches, bucket } = await found({ keys, known }, { isOwn: (seq) => seq >= 9 });
    expect(batches).toMatchObject([
      [
        { key: "image/gone/again", etag: "old", targetEtag: "copy" },
        { key: "image/new", targetEtag: null },
      ],
    ]);
    // One page, and one request to confirm that it was the last.
    expect(bucket.asked.length).toBe(2);
  });

  it("only as many as the job has room for are taken", async () => {
    const many = Array.from({ length: 25 }, (_, i) => `image/${String(i).padStart(2, "0")}`);
    const { batches, asked } = await found({ keys: many, rows: many }, { most: 9 });
    expect(batches.map(({ length }) => length)).toEqual([7, 2]);
    // Page by page: the ledger is queried for at most one page at once.
    expect(Math.max(...asked)).toBe(10);
  });

  it("one request tells that there is nothing", async () => {
    const { bucket, statements, keys } = await found({});
    expect([bucket.asked.length, statements, keys]).toEqual([1, ["starting"], []]);
  });

  it("a manifest names all that is the job's: nothing is listed", async () => {
    const { bucket, keys: left } = await found({ keys, known, from: "manifest" });
    expect([bucket.asked.length, left]).toEqual([0, []]);
  });
});

describe("of rows that name old keys", () => {
  it("those of moved objects are left behind in every inventory, others where the rows are the inventory", async () => {
    const rows = ["image/moved", "image/odd", "image/own", "image/no", "image/failed", "image/moved"];
    const known: World["known"] = {
      "image/moved": [1, MOVED],
      "image/own": [9, MOVED],
      "image/failed": [2, { kind: "exception", code: "row_conflict", message: "" }],
    };
    const isOwn = (seq: number) => seq >= 9;
    for (const from of ["bucket", "manifest"] as const) {
      const { batches } = await found({ rows, known, from }, { isOwn });
      const both = [
        { reference: 0, id: "1" },
        { reference: 0, id: "6" },
      ];
      expect(batches).toMatchObject([[{ key: "image/moved", targetEtag: "copy", rows: both }]]);
    }
    expect((await found({ rows, known, from: "database" }, { isOwn })).keys).toEqual([
      "image/moved",
      "image/odd",
    ]);
  });

  it("none is left behind where old keys are the new ones", async () => {
    const spec = { target: { ...AVATARS.target, prefix: "image/" } };
    const { keys, statements } = await found({ rows: ["image/a"], known: { "image/a": [1, MOVED] }, spec });
    expect([keys, statements]).toEqual([[], []]);
  });

  it("many are walked through by key, with rests four times as long as the statements", async () => {
    const rows = Array.from({ length: 45_000 }, (_, i) => `image/${i}`);
    const known = { "image/44999": [1, MOVED] } as const;
    const { keys, statements, clock } = await found({ rows, known });
    expect(keys).toEqual(["image/44999"]);
    expect(statements).toEqual(["starting", "page", "page", "page"]);
    expect(clock.sleeps).toEqual([4000, 4000]);
  });
});
