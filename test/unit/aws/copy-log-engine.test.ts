/** The engine lambda-copy-log: which records it takes as results, and what it leaves to the engine that carries. */

import { describe, expect, it } from "vitest";
import { CopyLogEngine } from "../../../src/engines/aws/copy-log-engine.ts";
import type { FlaggedRecord, Place } from "../../../src/engines/aws/copy-log-records.ts";
import type { CopyLogs } from "../../../src/engines/aws/copy-logs.ts";
import type { JobTerms } from "../../../src/engines/aws/user-arguments.ts";
import type {
  Consignment,
  ConsignmentEngine,
  ConsignmentOrder,
} from "../../../src/ports/consignment-engine.ts";
import type { NumberedCopy } from "../../../src/ports/copy-engine.ts";
import type { CopyResult } from "../../../src/ports/object-store.ts";
import { only } from "../../support/only.ts";
import { TERMS, UPDATES } from "../lambda/lambda-fakes.ts";

const signal = new AbortController().signal;

function copy(number: number, etag = "e1"): NumberedCopy {
  const source = { bucket: "a", key: `image/${number}`, etag, size: 7 };
  const target = { bucket: "b", key: `avatar/${number}` };
  return { number, request: { source, target, storageClass: null, onlyIfAbsent: true } };
}

function record(number: number, more: Partial<FlaggedRecord> = {}): [string, FlaggedRecord] {
  const source = `a/image/${number}`;
  return [
    `b/avatar/${number}`,
    { job: "token-1", source, pinned: "e1", size: 7, etag: `n${number}`, ...more },
  ];
}

function order(token: string): ConsignmentOrder {
  return only<ConsignmentOrder>({ consignment: only<Consignment>({ token }) });
}

/** An engine whose carrier is under way with `token-1` while `during` runs. */
async function whileCarried(
  records: [string, FlaggedRecord][],
  during: (engine: CopyLogEngine) => Promise<void>,
  after: (engine: CopyLogEngine) => Promise<void> = async () => {},
): Promise<Place[]> {
  const removed: Place[] = [];
  const logs: Pick<CopyLogs, "flagged" | "remove"> = {
    flagged: async () => new Map(records),
    remove: async (places) => void removed.push(...places),
  };
  const carrier = only<ConsignmentEngine>({
    mostCopies: 5,
    objection: ({ target }) => (target.key === "avatar/1" ? "too long" : null),
    carry: async (given) => {
      expect(given.consignment.token).toBe("token-1");
      await during(engine);
      return { kind: "broken", reason: "cancelled" };
    },
  });
  const engine: CopyLogEngine = new CopyLogEngine(carrier, logs);
  expect(await engine.carry(order("token-1"), () => {}, signal)).toEqual({
    kind: "broken",
    reason: "cancelled",
  });
  await after(engine);
  return removed;
}

async function resultsOf(engine: CopyLogEngine, copies: readonly NumberedCopy[]) {
  const results: [number, CopyResult][] = [];
  await engine.known(copies, async (number, result) => void results.push([number, result]), signal);
  return results;
}

it("gives flagged records as copies with the new object's ETag", async () => {
  await whileCarried([record(2), record(3)], async (engine) => {
    expect(await resultsOf(engine, [copy(1), copy(2), copy(3)])).toEqual([
      [2, { kind: "copied", etag: "n2" }],
      [3, { kind: "copied", etag: "n3" }],
    ]);
  });
});

it.each([
  ["another consignment", { job: "token-0" }],
  ["another source bucket or key", { source: "a/image/9" }],
  ["another version", { pinned: "e0" }],
  ["another size", { size: 8 }],
])("takes no record of %s as a result", async (_name, more) => {
  await whileCarried([record(1, more)], async (engine) => {
    expect(await resultsOf(engine, [copy(1)])).toEqual([]);
  });
});

it("takes no record as a result when its consignment has ended, and none of one that failed", async () => {
  await whileCarried(
    [record(1)],
    async () => {},
    async (engine) => {
      expect(await resultsOf(engine, [copy(1)])).toEqual([]);
    },
  );
  const carrier = only<ConsignmentEngine>({ carry: () => Promise.reject(new Error("lost")) });
  const flagged = async () => new Map([record(1)]);
  const engine = new CopyLogEngine(carrier, { flagged, remove: async () => {} });
  await expect(engine.carry(order("token-1"), () => {}, signal)).rejects.toThrow("lost");
  expect(await resultsOf(engine, [copy(1)])).toEqual([]);
});

it("waits for each result to be taken before the next one", async () => {
  await whileCarried([record(1), record(2)], async (engine) => {
    const steps: string[] = [];
    await engine.known(
      [copy(1), copy(2)],
      async (number) => {
        steps.push(`begin ${number}`);
        await new Promise((resolve) => setImmediate(resolve));
        steps.push(`end ${number}`);
      },
      signal,
    );
    expect(steps).toEqual(["begin 1", "end 1", "begin 2", "end 2"]);
  });
});

it("removes the records of the targets, and leaves limits and objections to the carrier", async () => {
  const removed = await whileCarried([], async (engine) => {
    await engine.forget([copy(1), copy(2)], signal);
    expect(engine.mostCopies).toBe(5);
    expect([engine.objection(copy(1).request), engine.objection(copy(2).request)]).toEqual([
      "too long",
      null,
    ]);
  });
  expect(removed).toEqual([copy(1).request.target, copy(2).request.target]);
});

describe("the terms of the function that takes the events", () => {
  /** What an engine writes to and removes from the table while `during` runs in place of its carrier. */
  async function written(
    during: (order: { readonly recall: AbortController; readonly stop: AbortController }) => Promise<void>,
    isRecalled = false,
  ): Promise<string[]> {
    const calls: string[] = [];
    const [recall, stop] = [new AbortController(), new AbortController()];
    if (isRecalled) recall.abort();
    const carrier = only<ConsignmentEngine>({
      carry: async () => {
        calls.push("carry");
        await during({ recall, stop });
        calls.push("carried");
        return { kind: "ended" };
      },
    });
    const logs = {
      flagged: async () => new Map(),
      remove: async () => {},
      putTerms: async (terms: JobTerms) => {
        expect(terms).toEqual({ ...TERMS, copyLogs: "T", updates: UPDATES, token: "token-1", notAfter: 5 });
        calls.push("put");
      },
      removeTerms: async (token: string) => {
        expect(token).toBe("token-1");
        calls.push("remove");
        throw new Error("the table throttles");
      },
    };
    const { token: _, notAfter: __, leastMs: ___, ...terms } = { ...TERMS, copyLogs: "T", updates: UPDATES };
    const engine = new CopyLogEngine(carrier, logs, { logs, terms });
    const order = only<ConsignmentOrder>({
      consignment: only<Consignment>({ token: "token-1", notAfter: 5 }),
      recall: recall.signal,
    });
    await engine.carry(order, () => {}, stop.signal);
    return calls;
  }

  it("are in the table while a consignment is under way", async () => {
    expect(await written(async () => {})).toEqual(["put", "carry", "carried", "remove"]);
  });

  it("are removed as soon as it is recalled, and not written for one that is", async () => {
    const recalled = await written(async ({ recall }) => recall.abort());
    expect(recalled).toEqual(["put", "carry", "remove", "carried", "remove"]);
    expect((await written(async () => {}, true)).includes("put")).toBe(false);
  });

  it("stay where the process stops: its job goes on", async () => {
    expect(await written(async ({ stop }) => stop.abort())).toEqual(["put", "carry", "carried"]);
  });
});
