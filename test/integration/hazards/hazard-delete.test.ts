/** What goes wrong while deleting: per-key errors in a 200, keys that XML cannot carry, versions, lost answers. */

import { describe, expect, it } from "vitest";
import type { FaultEffect } from "../../../src/sandbox-s3/faults/fault-rules.ts";
import { moved } from "../../support/bystander.ts";
import { bench, benchForEach } from "../../support/worlds/bench-for-each.ts";
import { fillStore, imageKeys } from "../../support/worlds/workbench.ts";

const KEYS = imageKeys(12);
const ODD = KEYS[4] as string;

benchForEach();

function seed(keys: readonly string[]): void {
  fillStore(bench.store, "bucket-a", keys);
  bench.addRows(keys);
}

describe("an error of one key inside a 200", () => {
  const keyError = (code: string, times?: number) =>
    bench.store.faults.add({
      operation: "DeleteObjects",
      key: ODD,
      ...(times === undefined ? {} : { times }),
      effect: { type: "key-error", code },
    });

  it("that denies it is final: the source stays, the object is not called moved, the others go", async () => {
    seed(KEYS);
    const fault = keyError("AccessDenied");
    const job = await bench.move();
    expect(fault.fired).toBe(1);
    expect(await bench.exceptions(job.id)).toEqual({ [ODD]: "delete_denied" });
    expect(job).toMatchObject({ state: "completed_with_exceptions", objects: { moved: 11, exceptions: 1 } });
    expect(bench.store.listKeys("bucket-a")).toEqual([ODD]);
    expect(bench.paths()).toEqual(KEYS.map(moved));
  });

  it("that denies it is cured by a retry once the right is there, without copying again", async () => {
    seed(KEYS);
    const fault = keyError("AccessDenied");
    const job = await bench.move();
    fault.remove();
    const copies = bench.store.requests.count("CopyObject");
    const again = await bench.retry(job.id);
    expect(again).toMatchObject({ state: "completed", objects: { planned: 12, moved: 12, exceptions: 0 } });
    expect(bench.store.listKeys("bucket-a")).toEqual([]);
    expect(bench.store.requests.count("CopyObject")).toBe(copies);
  });

  it.each(["InternalError", "SlowDown"])("that passes is asked for again: %s", async (code) => {
    seed(KEYS);
    keyError(code, 2);
    expect(await bench.move()).toMatchObject({ state: "completed", objects: { moved: 12 } });
    expect(bench.store.listKeys("bucket-a")).toEqual([]);
  });

  it("that does not pass costs this key only", async () => {
    seed(KEYS);
    keyError("InternalError");
    const job = await bench.move();
    expect(await bench.exceptions(job.id)).toEqual({ [ODD]: "delete_refused" });
    expect(bench.store.listKeys("bucket-a")).toEqual([ODD]);
  });
});

describe("a deletion whose answer is lost", () => {
  const effects: [string, FaultEffect][] = [
    ["by a broken connection", { type: "reset-after" }],
    ["by a 500", { type: "internal-error", applied: true }],
    ["by an empty 200", { type: "empty-200", applied: true }],
    ["by a 503", { type: "slow-down", applied: true }],
  ];
  it.each(effects)("%s counts once and as moved", async (_, effect) => {
    seed(KEYS);
    bench.store.faults.add({ operation: "DeleteObjects", times: 1, effect });
    expect(await bench.move()).toMatchObject({ state: "completed", objects: { planned: 12, moved: 12 } });
    expect(bench.store.listKeys("bucket-a")).toEqual([]);
  });

  it("with nothing done either leaves no source behind in the end", async () => {
    seed(KEYS);
    bench.store.faults.add({ operation: "DeleteObjects", times: 1, effect: { type: "empty-200" } });
    expect(await bench.move()).toMatchObject({ state: "completed", objects: { moved: 12 } });
    expect(bench.store.listKeys("bucket-a")).toEqual([]);
  });
});

describe("keys that XML cannot carry", () => {
  it("are deleted one by one and do not break the request of a thousand others", async () => {
    const awkward = ["image/\x01", "image/tab\t", "image/cr\r", "image/\ufffe", "image/ "];
    seed([...KEYS, ...awkward]);
    const job = await bench.move();
    expect(job).toMatchObject({ state: "completed", objects: { moved: 17 } });
    expect(bench.store.listKeys("bucket-a")).toEqual([]);
    // The first key goes by itself, twice: it shows whether the store keeps to conditions.
    expect(bench.store.requests.count("DeleteObjects")).toBe(3);
    expect(bench.store.requests.count("DeleteObject")).toBe(5);
  });

  it("are kept as well when they were overwritten meanwhile", async () => {
    const key = "image/\x01";
    seed([...KEYS, key]);
    const job = await bench.moveWhile({ operation: "DeleteObject", key }, () =>
      bench.store.putObject("bucket-a", key, "newer"),
    );
    expect(await bench.exceptions(job.id)).toEqual({ [key]: "source_changed" });
    expect(bench.store.listKeys("bucket-a")).toEqual([key]);
  });
});

describe("a versioned source bucket", () => {
  it("keeps the bytes behind a marker, and preflight says so beforehand", async () => {
    bench.store.setVersioning("bucket-a", "Enabled");
    seed(KEYS);
    const job = {
      source: { bucket: "bucket-a", prefix: "image/" },
      target: { bucket: "bucket-b", prefix: "avatar/" },
    };
    const report = await bench.jobs.preflight(job, { canary: false });
    expect(report.problems.map(({ code }) => code)).toContain("versioned_source");
    expect(await bench.move()).toMatchObject({ state: "completed", objects: { moved: 12 } });
    expect(bench.store.listKeys("bucket-a")).toEqual([]);
    const versions = bench.store.listVersions("bucket-a");
    expect(versions.filter((version) => version.isDeleteMarker)).toHaveLength(12);
    expect(versions.filter((version) => !version.isDeleteMarker)).toHaveLength(12);
  });
});

describe("a dry run", () => {
  it("changes no object and no row", async () => {
    seed(KEYS);
    const job = {
      source: { bucket: "bucket-a", prefix: "image/" },
      target: { bucket: "bucket-b", prefix: "avatar/" },
      references: [{ database: "app", table: "images", key: "id", column: "path" }],
    };
    await bench.jobs.preflight(job, { canary: false });
    for (const operation of ["CopyObject", "DeleteObjects", "DeleteObject", "PutObject"] as const) {
      expect(bench.store.requests.count(operation)).toBe(0);
    }
    expect(bench.paths()).toEqual(KEYS);
  });

  it("with a canary leaves nothing behind in either bucket", async () => {
    seed(KEYS);
    const job = { source: { bucket: "bucket-a", prefix: "image/" }, target: { bucket: "bucket-b" } };
    const report = await bench.jobs.preflight(job, { canary: true });
    expect(report.ok).toBe(true);
    expect(bench.store.listKeys("bucket-a")).toEqual(KEYS);
    expect(bench.store.listKeys("bucket-b")).toEqual([]);
  });
});
