/** The check before a deletion: a row that names a key in any encoder's spelling keeps the object. */

import { escape as queryEscape } from "node:querystring";
import fc from "fast-check";
import { expect, it } from "vitest";
import { Relocation } from "../../../src/domain/relocation.ts";
import type { ReferenceTable } from "../../../src/ports/reference-table.ts";
import { NonCanonicalUrls } from "../../../src/stages/non-canonical-urls.ts";
import { type CheckedReferences, keysStillNamed } from "../../../src/stages/reference-lookup.ts";
import { systemClock } from "../../../src/stores/system-clock.ts";
import { hostileKeys } from "../../support/hostile-keys.ts";
import { AVATARS } from "../../support/job-spec.ts";
import { only } from "../../support/only.ts";

const CDN = "https://cdn.example.com/";

/** A table of exact strings, and a context over it whose reading of non-canonical spellings has seen nothing. */
function world() {
  const stored: string[] = [];
  const rows = (isHeld: (value: string) => boolean) =>
    stored.filter(isHeld).map((value, i) => ({ id: String(i), value }));
  const table = only<ReferenceTable>({
    findRows: async (values) => rows((value) => values.includes(value)),
    matching: async ({ values, prefixes, samples }) => [
      ...rows((value) => values.includes(value) || prefixes.some((text) => value.startsWith(text))),
      ...samples.flatMap((sample) => rows((value) => value.startsWith(sample)).slice(0, 1)),
    ],
  });
  const context: CheckedReferences = {
    relocation: new Relocation(AVATARS),
    references: [{ table, urlPrefix: CDN }],
    nonCanonicalUrls: new NonCanonicalUrls([], systemClock),
  };
  return {
    stored,
    ask: (keys: readonly string[]) =>
      keysStillNamed(
        context,
        keys.map((key) => ({ key })),
      ),
  };
}

const strictly = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
const bySegment = (encode: (text: string) => string) => (key: string) => key.split("/").map(encode).join("/");
const form = (key: string) => new URLSearchParams([["k", key]]).toString().slice(2);
const lower = (encode: (key: string) => string) => (key: string) =>
  encode(key).replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase());
const ENCODERS: Readonly<Record<string, (key: string) => string>> = {
  "as it is": (key) => key,
  encodeURI,
  "encodeURIComponent of each segment": bySegment(encodeURIComponent),
  "encodeURIComponent of the whole key": encodeURIComponent,
  "RFC 3986, each segment": bySegment(strictly),
  "RFC 3986, the whole key": strictly,
  "querystring, each segment": bySegment(queryEscape),
  "encodeURIComponent with plus": (key) => bySegment(encodeURIComponent)(key).replaceAll("%20", "+"),
  "older RFC 2396 with plus": (key) => bySegment(strictly)(key).replaceAll("~", "%7E").replaceAll("%20", "+"),
  "spaces alone": (key) => key.replaceAll(" ", "%20"),
};
const all = Object.entries(ENCODERS).flatMap(([name, encode]) => [
  [name, encode] as const,
  [`${name}, lower case`, lower(encode)] as const,
]);

const key = fc.oneof(
  fc.constantFrom(...hostileKeys),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }),
  fc.string({
    unit: fc.constantFrom("a", "Z", "0", "/", " ", "é", "+", "%", "~", "(", "*", "&", "日"),
    minLength: 1,
  }),
);
const end = fc.oneof(
  fc.constantFrom("", "?", "#", "?v=2", "#top", "?a=b#c", "??", "?url=a%2Fb"),
  fc.string({ maxLength: 5 }).chain((text) => fc.constantFrom(`?${text}`, `#${text}`)),
);

it.each(all)("%s, alone or before a query or fragment: the source is kept", async (_, encode) => {
  await fc.assert(
    fc.asyncProperty(key, fc.array(key, { maxLength: 3 }), end, async (named, others, rest) => {
      if (!named.isWellFormed()) return;
      const prefixed = `image/${named}`;
      const { stored, ask } = world();
      const keys = [prefixed, ...others.map((other) => `image/${other}`)];
      expect(await ask(keys)).toEqual(new Set());
      stored.push(CDN + encode(prefixed) + rest);
      expect(await ask(keys)).toContain(prefixed);
    }),
    { numRuns: 150 },
  );
});

it("the spelling of a browser or of a form", async () => {
  for (const named of ["a b.png", "é (1).png", "[x]|y.png", "a&b=c.png"]) {
    const prefixed = `image/${named}`;
    for (const spelling of [new URL(CDN + prefixed).pathname.slice(1), form(prefixed)]) {
      const { stored, ask } = world();
      stored.push(`${CDN}${spelling}?v=1`);
      expect(await ask([prefixed])).toEqual(new Set([prefixed]));
    }
  }
});

it("what names another key, or begins like one, keeps nothing", async () => {
  const { stored, ask } = world();
  stored.push(`${CDN}image/a.png.bak`, `${CDN}image/A.png?v=2`, `${CDN}image/a.pn?v=2`, "image/a.png?v=2");
  expect(await ask(["image/a.png"])).toEqual(new Set());
});
