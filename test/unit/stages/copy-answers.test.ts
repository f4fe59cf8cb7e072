/** How the copy stage handles an engine's results: in any order, late, twice, or not at all. */

import { describe, expect, it } from "vitest";
import { Relocation } from "../../../src/domain/relocation.ts";
import { limitConcurrency } from "../../../src/pacing/concurrency.ts";
import type { RateLimitedStore } from "../../../src/pacing/rate-limited-store.ts";
import type { CopyEngine } from "../../../src/ports/copy-engine.ts";
import type { ListedObject } from "../../../src/ports/object-store.ts";
import { copyBatch } from "../../../src/stages/copy.ts";
import type { CopyContext } from "../../../src/stages/stage-contexts.ts";
import { batchObject, plannedBatch } from "../../support/batches.ts";
import { AVATARS } from "../../support/job-spec.ts";
import { only } from "../../support/only.ts";

const KEYS = ["image/a", "image/b", "image/c"];
const facts = (key: string): ListedObject => ({ key, size: 1, etag: "e", storageClass: null, modifiedAt: 0 });

/** Copies {@link KEYS} by `engine`; `atTarget` are the keys of the target bucket. */
async function copied(
  engine: CopyEngine,
  atTarget: Set<string>,
  objects = KEYS.map((key) => batchObject(key)),
) {
  const more = { needsRestore: false, contentType: null, encryption: null };
  const store = only<RateLimitedStore>({
    list: async ({ startAfter, prefix }) => ({
      objects: [...atTarget]
        .sort()
        .filter((key) => key.startsWith(prefix) && key > (startAfter ?? ""))
        .map(facts),
      more: false,
    }),
    head: async ({ bucket, key }) =>
      bucket === AVATARS.source.bucket || atTarget.has(key)
        ? { ...facts(key), ...more, metadata: {}, tagCount: 0, checksums: [] }
        : null,
  });
  const shown: number[] = [];
  const context = only<CopyContext>({
    ...{ spec: AVATARS, relocation: new Relocation(AVATARS), source: store, target: store, engine },
    concurrency: limitConcurrency(4),
    signal: new AbortController().signal,
    onCopied: (bytes) => void shown.push(bytes),
  });
  await copyBatch(context, plannedBatch(objects), false);
  return { objects, shown: shown.length };
}

describe("results of an engine", () => {
  it("settle their objects by number, in whatever order they come", async () => {
    const engine: CopyEngine = {
      async copy(requests, onResult) {
        for (const { number, request } of [...requests].reverse()) {
          onResult(number, { kind: "copied", etag: `e of ${request.target.key}-1` });
        }
      },
    };
    const { objects, shown } = await copied(engine, new Set());
    expect(objects.map(({ targetEtag }) => targetEtag)).toEqual([
      "e of avatar/a-1",
      "e of avatar/b-1",
      "e of avatar/c-1",
    ]);
    expect(shown).toBe(3);
  });

  it("count once: what comes a second time, or when the engine has ended, changes nothing", async () => {
    let late: () => void = () => {};
    const engine: CopyEngine = {
      async copy(requests, onResult) {
        for (const { number } of requests) {
          onResult(number, { kind: "copied", etag: "e" });
          onResult(number, { kind: "source_gone" });
        }
        late = () => onResult(0, { kind: "failed", failure: { code: "copy_refused", message: "late" } });
      },
    };
    const { objects, shown } = await copied(engine, new Set());
    late();
    expect(objects.map(({ outcome }) => outcome.kind)).toEqual(["pending", "pending", "pending"]);
    expect(objects.map(({ targetEtag }) => targetEtag)).toEqual(["e", "e", "e"]);
    expect(shown).toBe(3);
  });

  it("that come when another round has already settled their object change nothing", async () => {
    const late: (() => void)[] = [];
    const engine: CopyEngine = {
      async copy(requests, onResult) {
        const isFirst = late.length === 0;
        for (const { number } of requests) {
          if (isFirst) {
            late.push(() =>
              onResult(number, { kind: "failed", failure: { code: "copy_refused", message: "late" } }),
            );
          } else onResult(number, { kind: "copied", etag: "e" });
        }
      },
    };
    const { objects, shown } = await copied(engine, new Set());
    for (const give of late) give();
    expect(late).toHaveLength(3);
    expect(objects.map(({ outcome, targetEtag }) => [outcome.kind, targetEtag])).toEqual(
      KEYS.map(() => ["pending", "e"]),
    );
    expect(shown).toBe(3);
  });

  it("that come when the engine has thrown change nothing: the batch is repeated", async () => {
    let late: () => void = () => {};
    const engine: CopyEngine = {
      async copy([first], onResult) {
        late = () => onResult(first?.number ?? 0, { kind: "copied", etag: "late" });
        throw new Error("unavailable");
      },
    };
    const objects = KEYS.map((key) => batchObject(key));
    await expect(copied(engine, new Set(), objects)).rejects.toThrow("unavailable");
    late();
    expect(objects.map(({ targetEtag }) => targetEtag)).toEqual([null, null, null]);
  });

  it("that tell of another version are checked against the source before the request's place is free", async () => {
    const settled: (string | null)[] = [];
    const engine: CopyEngine = {
      async copy([first, ...rest], onResult) {
        for (const { number } of rest) onResult(number, { kind: "copied", etag: "e" });
        const check = onResult(first?.number ?? 0, { kind: "copied", etag: "newer" });
        expect(check).toBeInstanceOf(Promise);
        await check;
        settled.push("checked");
      },
    };
    const { objects } = await copied(engine, new Set());
    expect(settled).toEqual(["checked"]);
    expect(objects.map(({ targetEtag }) => targetEtag)).toEqual(["newer", "e", "e"]);
  });

  it("that never come are looked for in the bucket: what is there is ours by its ETag, what is not is asked for again", async () => {
    const atTarget = new Set<string>();
    const rounds: number[] = [];
    const engine: CopyEngine = {
      async copy(requests, onResult) {
        rounds.push(requests.length);
        for (const { number, request } of requests) {
          if (request.source.key === "image/b" && rounds.length === 1) continue;
          atTarget.add(request.target.key);
          if (request.source.key !== "image/c" || rounds.length > 1) {
            onResult(number, { kind: "copied", etag: "e" });
          }
        }
      },
    };
    const { objects, shown } = await copied(engine, atTarget);
    expect(rounds).toEqual([3, 1]);
    expect(objects.map(({ outcome, targetEtag }) => [outcome.kind, targetEtag])).toEqual([
      ["pending", "e"],
      ["pending", "e"],
      ["pending", "e"],
    ]);
    expect(shown).toBe(3);
  });

  it("that never come at all end as exceptions after four rounds", async () => {
    let rounds = 0;
    const engine: CopyEngine = {
      async copy() {
        rounds += 1;
      },
    };
    const { objects } = await copied(engine, new Set());
    expect(rounds).toBe(4);
    for (const { outcome } of objects) expect(outcome).toMatchObject({ kind: "exception" });
  });
});
