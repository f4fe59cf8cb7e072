/** For any order of an application's and a job's actions: no row is rewritten twice, none before its object was copied. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Batch, BatchObject } from "../../../src/domain/batch.ts";
import type { JobSpec } from "../../../src/domain/job-spec.ts";
import { keyOfValue, type PrefixChange, valueForms } from "../../../src/domain/keys/key-mapping.ts";
import { nestedPrefixFaults } from "../../../src/domain/keys/nested-prefixes.ts";
import { RateLimit } from "../../../src/domain/rates/rate-limit.ts";
import { Relocation } from "../../../src/domain/relocation.ts";
import type { ReferenceTable } from "../../../src/ports/reference-table.ts";
import type { UpdateContext } from "../../../src/stages/stage-contexts.ts";
import { updateBatch } from "../../../src/stages/update.ts";
import { VirtualClock } from "../../support/clocks/virtual-clock.ts";
import { AVATARS } from "../../support/job-spec.ts";
import { only } from "../../support/only.ts";

/** A row as the application wrote it last, and as the job has left it. */
interface Row {
  value: string;
  rewrites: number;
}

type Step =
  /** The application puts an object and a row that names it: under the old prefix, the new one, or one within the other. */
  | { readonly do: "add"; readonly under: number; readonly tail: string; readonly form: number }
  /** It points a row at another object that is there. */
  | { readonly do: "edit"; readonly row: number; readonly under: number; readonly tail: string }
  | { readonly do: "plan"; readonly most: number }
  | { readonly do: "copy"; readonly batch: number }
  /** Also a second time: a stage that was cut off is repeated. */
  | { readonly do: "update"; readonly batch: number };

const number = fc.nat(3);
const tail = fc.constantFrom("x", "v2/x", "a b", "%20");
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("add"), under: number, tail, form: number }) },
  fc.record({ do: fc.constant("edit"), row: number, under: number, tail }),
  { weight: 2, arbitrary: fc.record({ do: fc.constant("plan"), most: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("copy"), batch: number }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("update"), batch: number }) },
) as fc.Arbitrary<Step>;
const steps = fc.array(step, { minLength: 4, maxLength: 40 });

const piece = fc.constantFrom("image", "v2", "a", "/", "%20", " ", "é", "(");
const prefix = fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join(""));
const urlPrefix = fc.constantFrom(null, "", "https://cdn/");

function specOf(change: PrefixChange, urlPrefix: string | null): JobSpec {
  const reference = { database: "app", table: "t", key: "id", column: "c", where: {}, set: {} };
  return {
    ...AVATARS,
    source: { ...AVATARS.source, prefix: change.from },
    target: { ...AVATARS.target, prefix: change.to },
    references: [{ ...reference, urlPrefix, keepUpdatedAt: true }],
  };
}

/** Takes the steps; gives what went wrong, one line for each rewrite that must not have been. */
async function take(
  taken: readonly Step[],
  change: PrefixChange,
  urlPrefix: string | null,
): Promise<string[]> {
  const spec = specOf(change, urlPrefix);
  const rows: Row[] = [];
  const source = new Set<string>();
  const copied = new Set<string>();
  const batches: { readonly objects: BatchObject[]; isCopied: boolean }[] = [];
  const wrongs: string[] = [];
  const places = [change.from, change.to, change.from + change.to, change.to + change.from];
  const keyAt = (under: number, rest: string) => (places[under % places.length] ?? "") + rest;
  const forms = valueForms(urlPrefix, change);
  const spelled = (key: string, form: number) =>
    [...forms.slice(form % forms.length), ...forms]
      .map((one) => one.valueOf(key))
      .find((value) => value !== null) ?? (urlPrefix ?? "") + key;
  const context = only<UpdateContext>({
    relocation: new Relocation(spec),
    rowLimit: new RateLimit(null),
    clock: new VirtualClock(1_000_000, "free"),
    signal: new AbortController().signal,
    databasesReady: async () => {},
    confirmLease: async () => {},
    onRowsChanged: () => {},
    references: [
      {
        urlPrefix,
        table: only<ReferenceTable>({
          async rewrite(values: readonly string[], by: PrefixChange) {
            const hit = rows.filter(({ value }) => values.includes(value));
            for (const row of hit) {
              const key = keyOfValue(urlPrefix, row.value);
              if (key === null || !copied.has(key)) wrongs.push(`${row.value}: its object was not copied`);
              row.rewrites += 1;
              if (row.rewrites > 1) wrongs.push(`${row.value}: rewritten again`);
              row.value = by.to + row.value.slice(by.from.length);
            }
            return { rows: hit.length, failures: [] };
          },
          findRows: async () => [],
          existing: async () => new Set<string>(),
        }),
      },
    ],
  });

  const at: { readonly [Name in Step["do"]]: (step: Extract<Step, { do: Name }>) => void | Promise<void> } = {
    add({ under, tail, form }) {
      const key = keyAt(under, tail);
      source.add(key);
      rows.push({ value: spelled(key, form), rewrites: 0 });
    },
    edit({ row, under, tail }) {
      const edited = rows[row];
      if (edited !== undefined) Object.assign(edited, { value: spelled(keyAt(under, tail), 0), rewrites: 0 });
    },
    plan({ most }) {
      // Any keys in any order: more than any inventory, repetition or further round would plan.
      const keys = [...source].filter((key) => key.startsWith(change.from)).slice(-most);
      const objects = keys.map((key) => ({ key, rows: [], outcome: { kind: "pending" } }));
      batches.push({ objects: objects as unknown as BatchObject[], isCopied: false });
    },
    copy({ batch }) {
      const planned = batches[batch];
      if (planned === undefined) return;
      planned.isCopied = true;
      for (const { key } of planned.objects) copied.add(key);
    },
    async update({ batch }) {
      const planned = batches[batch];
      if (planned?.isCopied) await updateBatch(context, { objects: planned.objects } as Batch, false);
    },
  };
  for (const one of taken) await at[one.do](one as never);
  return wrongs;
}

describe("a row", () => {
  it("is rewritten at most once, and only after its object was copied, with any prefixes that are allowed", async () => {
    let rewriting = 0;
    await fc.assert(
      fc.asyncProperty(prefix, prefix, urlPrefix, steps, async (from, to, url, taken) => {
        fc.pre(from !== to && nestedPrefixFaults(specOf({ from, to }, url)).length === 0);
        rewriting += 1;
        expect(await take(taken, { from, to }, url)).toEqual([]);
      }),
      { numRuns: 2000 },
    );
    expect(rewriting).toBe(2000);
  });

  it.each<[string, PrefixChange, string | null]>([
    ["the new prefix within the old one", { from: "image/", to: "image/v2/" }, null],
    ["the old prefix within the new one", { from: "image/v2/", to: "image/" }, null],
    ["a whole bucket", { from: "", to: "image/" }, null],
    ["within a URL", { from: "image/", to: "image/v2/" }, "https://cdn/"],
    ["a new prefix that spells the old one in a URL", { from: "a b/", to: "a%20b/" }, "https://cdn/"],
  ])("would be rewritten twice in some order, so the job is refused: %s", async (_, change, url) => {
    const property = fc.asyncProperty(steps, async (taken) => (await take(taken, change, url)).length === 0);
    // Always the same orders: one of them is wrong, or none.
    expect((await fc.check(property, { numRuns: 50_000, seed: 18, endOnFailure: true })).failed).toBe(true);
    expect(nestedPrefixFaults(specOf(change, url))).toMatchObject([{ code: "keys_become_others" }]);
  });
});
