/** What goes wrong while copying: busy stores, lost answers, false successes, archived, changing and vanishing sources. */

import { describe, expect, it } from "vitest";
import type { FaultEffect } from "../../../src/sandbox-s3/faults/fault-rules.ts";
import { bodyOf, moved, sumsAgree, until } from "../../support/bystander.ts";
import { bench, benchForEach, clock } from "../../support/worlds/bench-for-each.ts";
import { fillStore, imageKeys } from "../../support/worlds/workbench.ts";

const KEYS = imageKeys(12);
const ODD = KEYS[4] as string;
const OTHERS = KEYS.filter((key) => key !== ODD);

benchForEach({ objects: KEYS, rows: KEYS });

async function expectAllMoved(job: { id: string; state: string }): Promise<void> {
  expect(await bench.exceptions(job.id)).toEqual({});
  expect(job.state).toBe("completed");
  expect(bench.store.listKeys("bucket-a")).toEqual([]);
  expect(bench.store.listKeys("bucket-b")).toEqual(KEYS.map(moved));
  expect(bench.paths()).toEqual(KEYS.map(moved));
}

/** A job that has copied {@link ODD} when `body` is written over it; its id. */
async function overwrittenAfterItsCopy(body: string, spec: Record<string, unknown> = {}): Promise<string> {
  const { id } = await bench.moveWhile(
    { operation: "DeleteObjects", key: ODD },
    () => bench.store.putObject("bucket-a", ODD, body),
    spec,
  );
  expect(await bench.exceptions(id)).toEqual({ [ODD]: "source_changed" });
  return id;
}

describe("a passing trouble of one copy does not cost the object", () => {
  const effects: [string, FaultEffect][] = [
    ["503 SlowDown", { type: "slow-down" }],
    ["503 although the copy was made", { type: "slow-down", applied: true }],
    ["500", { type: "internal-error" }],
    ["500 although the copy was made", { type: "internal-error", applied: true }],
    ["a connection that breaks before", { type: "reset-before" }],
    ["a connection that breaks after, so that the answer is lost", { type: "reset-after" }],
    ["200 with an error inside", { type: "error-in-200", code: "InternalError" }],
    ["200 with an error inside although the copy was made", { type: "error-in-200", applied: true }],
    ["200 with SlowDown inside", { type: "error-in-200", code: "SlowDown" }],
    ["200 with nothing inside", { type: "empty-200" }],
    ["200 with nothing inside although the copy was made", { type: "empty-200", applied: true }],
  ];

  it.each(effects)("%s", async (_, effect) => {
    bench.store.faults.add({ operation: "CopyObject", sourceKey: ODD, times: 1, effect });
    await expectAllMoved(await bench.move({ batchSize: 5 }));
  });

  it("nor a storm of them: every third request is throttled and every fifth lost", async () => {
    const id = await bench.submit({ batchSize: 6 });
    bench.store.faults.add({ every: 3, times: 12, effect: { type: "slow-down" } });
    bench.store.faults.add({ every: 5, times: 6, effect: { type: "reset-after" } });
    const job = await bench.work(id);
    await expectAllMoved(job);
    expect(job.requests.throttled).toBeGreaterThan(0);
  });
});

describe("a success that is none", () => {
  it.each(["etag", "size", "checksum"])(
    "is noticed, when the object never arrived: its source stays and its row too (verify %s)",
    async (verify) => {
      const job = await bench.moveWhile(
        { operation: "CopyObject", sourceKey: ODD, held: "after" },
        () => bench.store.deleteObject("bucket-b", moved(ODD)),
        { verify },
      );
      expect(await bench.exceptions(job.id)).toEqual({ [ODD]: "target_lost" });
      expect(bench.paths()[4]).toBe(ODD);
      expect(bench.store.listKeys("bucket-a")).toEqual([ODD]);
    },
  );

  it.each([
    ["shorter", "short", "verify_mismatch"],
    ["other bytes of the same length", `BODY of ${ODD}`, "verify_mismatch"],
  ])("is noticed, when what arrived is %s", async (_, body, code) => {
    const job = await bench.moveWhile({ operation: "CopyObject", sourceKey: ODD, held: "after" }, () =>
      bench.store.putObject("bucket-b", moved(ODD), body),
    );
    expect(await bench.exceptions(job.id)).toEqual({ [ODD]: code });
    expect(bench.store.listKeys("bucket-a")).toEqual([ODD]);
    expect(bench.paths()[4]).toBe(ODD);
  });
});

describe("one object that cannot be copied", () => {
  it("for want of a right is an exception, the others are moved, and a retry after the grant moves it", async () => {
    const fault = bench.store.faults.add({
      operation: "CopyObject",
      sourceKey: ODD,
      effect: { type: "access-denied" },
    });
    const job = await bench.move({ batchSize: 5 });
    expect(job).toMatchObject({ state: "completed_with_exceptions", objects: { moved: 11, exceptions: 1 } });
    expect(await bench.exceptions(job.id)).toEqual({ [ODD]: "access_denied" });
    fault.remove();
    const again = await bench.retry(job.id);
    expect(again.objects).toMatchObject({ planned: 12, moved: 12, skipped: 0, exceptions: 0 });
    await expectAllMoved(again);
  });

  it("because it is archived says so, and one that is restored is moved", async () => {
    bench.store.putObject("bucket-a", ODD, "cold", { storageClass: "GLACIER" });
    const restored = OTHERS[0] as string;
    bench.store.putObject("bucket-a", restored, "thawed", {
      storageClass: "GLACIER",
      restore: { ongoing: false, expiry: new Date(Date.now() + 86_400_000) },
    });
    const job = await bench.move();
    expect(await bench.exceptions(job.id)).toEqual({ [ODD]: "needs_restore" });
    expect(bench.store.listKeys("bucket-a")).toEqual([ODD]);
    expect(bodyOf(bench, "bucket-b", moved(restored))).toBe("thawed");
  });

  it("fails again when retried without a cure, and is neither skipped nor called moved", async () => {
    bench.store.faults.add({ operation: "CopyObject", sourceKey: ODD, effect: { type: "access-denied" } });
    const job = await bench.move();
    const again = await bench.retry(job.id);
    expect(await bench.exceptions(job.id)).toEqual({ [ODD]: "access_denied" });
    expect(again).toMatchObject({ state: "completed_with_exceptions", objects: { planned: 12, skipped: 0 } });
  });
});

describe("a source that", () => {
  it("vanishes between listing and copying, yet is named by a row, is missing and the job goes on", async () => {
    const job = await bench.moveWhile({ operation: "CopyObject", sourceKey: ODD }, () =>
      bench.store.deleteObject("bucket-a", ODD),
    );
    expect(await bench.exceptions(job.id)).toEqual({ [ODD]: "source_missing" });
    expect(job.objects).toMatchObject({ moved: 11, exceptions: 1 });
    expect(bench.paths()[4]).toBe(ODD);
  });

  it("vanishes and is named by nobody is skipped with its reason", async () => {
    bench.app.prepare("DELETE FROM images WHERE path = ?").run(ODD);
    const job = await bench.moveWhile(
      { operation: "CopyObject", sourceKey: ODD },
      () => bench.store.deleteObject("bucket-a", ODD),
      { inventory: { from: "bucket" } },
    );
    expect(job).toMatchObject({ state: "completed", objects: { moved: 11, skipped: 1 } });
    expect((await bench.jobs.object(job.id, ODD)).outcome).toEqual({
      kind: "skipped",
      reason: "source_gone",
    });
  });

  it("is missing from the start stays missing when retried, and is moved once it is restored", async () => {
    bench.store.deleteObject("bucket-a", ODD);
    const job = await bench.move();
    expect(await bench.exceptions(job.id)).toEqual({ [ODD]: "source_missing" });
    expect((await bench.retry(job.id)).state).toBe("completed_with_exceptions");
    expect(await bench.exceptions(job.id)).toEqual({ [ODD]: "source_missing" });
    fillStore(bench.store, "bucket-a", [ODD]);
    const again = await bench.retry(job.id);
    expect(sumsAgree(again)).toBe(true);
    await expectAllMoved(again);
  });

  it("is overwritten before its copy goes round again, and the newer bytes are moved", async () => {
    const job = await bench.moveWhile({ operation: "CopyObject", sourceKey: ODD }, () =>
      bench.store.putObject("bucket-a", ODD, "newer and longer bytes than before"),
    );
    await expectAllMoved(job);
    expect(bodyOf(bench, "bucket-b", moved(ODD))).toBe("newer and longer bytes than before");
  });

  it("never stops changing is given up after some rounds and kept", async () => {
    let version = 0;
    bench.store.faults.add({
      operation: "CopyObject",
      sourceKey: (key) => {
        if (key === ODD) bench.store.putObject("bucket-a", ODD, `version ${++version}`);
        return false;
      },
      effect: { type: "internal-error" },
    });
    const job = await bench.move();
    expect(await bench.exceptions(job.id)).toEqual({ [ODD]: "source_changed" });
    expect(bodyOf(bench, "bucket-a", ODD)).toBe(`version ${version}`);
  });

  it("is overwritten after its copy, as the copy is while a retry looks at the source: neither is replaced", async () => {
    const id = await overwrittenAfterItsCopy("newer bytes");
    const looked = bench.store.faults.add({
      operation: "HeadObject",
      bucket: "bucket-a",
      key: ODD,
      effect: { type: "internal-error" },
      when: () => {
        bench.store.putObject("bucket-b", moved(ODD), "the application's own");
        return false;
      },
    });
    await bench.retry(id);
    looked.remove();
    expect(await bench.exceptions(id)).toEqual({ [ODD]: "target_changed" });
    expect(bodyOf(bench, "bucket-b", moved(ODD))).toBe("the application's own");
    expect(bodyOf(bench, "bucket-a", ODD)).toBe("newer bytes");
  });

  it.each(["size", "etag"])(
    "is overwritten after its copy is renewed in vain, and the older copy never passes for the newer's (verify %s)",
    async (verify) => {
      const newer = (bodyOf(bench, "bucket-a", ODD) ?? "").toUpperCase();
      const id = await overwrittenAfterItsCopy(newer, { verify });
      const denied = bench.store.faults.add({
        ...{ operation: "CopyObject", sourceKey: ODD },
        effect: { type: "access-denied" },
      });
      await bench.retry(id);
      expect(await bench.exceptions(id)).toEqual({ [ODD]: "access_denied" });
      denied.remove();
      await expectAllMoved(await bench.retry(id));
      expect(bodyOf(bench, "bucket-b", moved(ODD))).toBe(newer);
    },
  );

  it.each(["fail", "skip-identical", "overwrite"])(
    "is overwritten by as many bytes while its copy's answer is lost: they are not given up for the older ones (%s)",
    async (onConflict) => {
      const newer = (bodyOf(bench, "bucket-a", ODD) ?? "").toUpperCase();
      let copies = 0;
      bench.store.faults.add({
        operation: "CopyObject",
        sourceKey: (key) => {
          if (key !== ODD) return false;
          copies += 1;
          if (copies === 2) bench.store.putObject("bucket-a", ODD, newer);
          return copies === 1;
        },
        effect: { type: "reset-after" },
      });
      await bench.move({ verify: "size", onConflict });
      expect(copies).toBeGreaterThan(1);
      expect([bodyOf(bench, "bucket-a", ODD), bodyOf(bench, "bucket-b", moved(ODD))]).toContain(newer);
    },
  );

  it("keeps metadata, tags, content headers and storage class", async () => {
    bench.store.putObject("bucket-a", ODD, "all of it", {
      contentType: "image/webp",
      cacheControl: "max-age=60",
      contentDisposition: 'attachment; filename="x y.png"',
      contentEncoding: "br",
      metadata: { a: "1", b: "two" },
      tags: { kind: "photo", "a b": "c+d" },
      storageClass: "STANDARD_IA",
    });
    const before = bench.store.getObject("bucket-a", ODD);
    await expectAllMoved(await bench.move());
    const after = bench.store.getObject("bucket-b", moved(ODD));
    expect(after?.attributes).toEqual(before?.attributes);
    expect(after?.tags).toEqual(before?.tags);
    expect(after?.storageClass).toBe("STANDARD_IA");
  });
});

describe("a throttled store", () => {
  it("never fails a job, however long it says no", async () => {
    const storm = bench.store.faults.add({ operation: "CopyObject", effect: { type: "slow-down" } });
    const id = await bench.submit();
    const run = bench.work(id);
    await until(() => {
      clock.advance(5_000);
      return storm.fired >= 25;
    });
    expect((await bench.jobs.get(id)).state).not.toBe("failed");
    storm.remove();
    clock.advance(60_000);
    await expectAllMoved(await run);
  });
});
